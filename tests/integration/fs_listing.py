# SPDX-License-Identifier: Apache-2.0
"""fs_listing.py DIRECTORY SECONDS: while others make, rename and remove names in a directory, a listing has each
name that stays exactly once."""
import multiprocessing
import os
import sys
import time


def stay(directory):
    return sorted(name for name in os.listdir(directory) if name.startswith("stays"))


def change(directory, number, end):
    count = 0
    while time.monotonic() < end:
        path = f"{directory}/changes-{number}-{count % 7}"
        os.mkdir(path)
        os.rename(path, path + "-renamed")
        os.rmdir(path + "-renamed")
        count += 1


def read(directory, wanted, end):
    listings = wrong = 0
    while time.monotonic() < end:
        listings += 1
        wrong += stay(directory) != wanted
    return listings, wrong


def main():
    directory, end = sys.argv[1], time.monotonic() + float(sys.argv[2])
    wanted = stay(directory)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        changes = pool.starmap_async(change, [(directory, number, end) for number in range(2)])
        results = pool.starmap(read, [(directory, wanted, end)] * 2)
        changes.get()
    listings, wrong = map(sum, zip(*results))
    if wrong:
        sys.exit(f"{wrong} of {listings} listings lack names or have them twice")


main()
