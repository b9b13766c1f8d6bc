// SPDX-License-Identifier: Apache-2.0
// What a name means in a directory of several layers.
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {
namespace {

Result<bool> exists(Layer& layer, const LayerDir& dir, const std::string& name) {
  const auto attr = layer.stat(dir, name.c_str());
  if (attr) return true;
  if (attr.error().code == ENOENT || attr.error().code == ENAMETOOLONG) return false;
  return std::unexpected(attr.error());
}

}  // namespace

// One search: from layer to layer, each of which may say that the next ones count no more, or
// that they have it elsewhere.
struct OverlayFs::Search {
  const View& view;
  Name name;
  std::string path;  // from the layers' roots, once a redirect leads away from `view`
  bool stop = false;
  bool any = false;
  Found found;
  // The directory found last, which an archive's marker inside may make opaque.
  struct Unchecked {
    LayerIndex layer;
    const LayerDir* parent;
    std::string name;
  };
  std::optional<Unchecked> unchecked;
  std::vector<DirRef> opened;  // directories beside those of `view`
};

// What the directory that was just found says of the layers below.
Result<> OverlayFs::follow(Search& search, LayerIndex index, const LayerDir& parent, const char* name) {
  auto own = TRY(traits(layer(index), parent, name));
  if (own.opaque) search.stop = true;
  search.unchecked = Search::Unchecked{index, &parent, name};
  if (own.redirect.starts_with('/')) {
    search.path = own.redirect.substr(1);
  } else if (!own.redirect.empty()) {
    // Another name in the same directory, which may itself be elsewhere.
    auto above =
        search.path.empty()
            ? TRY(lower_path(search.view.dir))
            : search.path.substr(0, search.path.rfind('/') == std::string::npos ? 0 : search.path.rfind('/'));
    search.path = above.empty() ? own.redirect : above + "/" + own.redirect;
  }
  return {};
}

// Whether the directory that was found above hides one that was found just now.
Result<bool> OverlayFs::hidden_by_archive(Search& search) {
  if (!search.unchecked) return false;
  const auto last = std::exchange(search.unchecked, std::nullopt);
  const auto dir = TRY(layer(last->layer).open_dir(*last->parent, last->name.c_str()));
  return has_archive_opaque(layer(last->layer), *dir);
}

// Looks into one lower layer: at `name` in `dir`, which is `path` from the layer's root, if that
// is not where it is shown.
Result<> OverlayFs::find_in_lower(Search& search, LayerIndex index, const LayerDir& dir, const char* name,
                                  std::string path) {
  Layer& lower = layer(index);
  const bool last = index == lowers_.last_merged();
  auto& found = search.found;
  const auto attr = lower.stat(dir, name);
  if (!attr && attr.error().code != ENOENT) return std::unexpected(attr.error());
  if (!attr) {
    if (!last) search.stop = TRY(exists(lower, dir, marker_of(name)));
    return {};
  }
  if (!S_ISDIR(attr->st_mode)) {
    search.stop = true;
    if (is_whiteout(*attr)) return {};
    if (S_ISREG(attr->st_mode) && attr->st_size == 0 && TRY(traits(lower, dir, ".")).xattr_whiteouts &&
        TRY(is_xattr_whiteout(lower, dir, name)))
      return {};
    if (search.any) return {};  // a file below a directory is hidden
    found.attr = *attr;
    found.layer = index;
    found.ino = numbers_.shown(attr->st_dev, attr->st_ino);
    search.any = true;
    if (attr->st_nlink > 1 && upper_ && upper_->index()) expect_in_index(index, dir, name, found);
    return {};
  }
  if (TRY(hidden_by_archive(search))) {
    search.stop = true;
    return {};
  }
  // A directory goes by the number of its topmost lower part: it keeps it over copy-up.
  if (found.lowers.empty()) found.ino = numbers_.shown(attr->st_dev, attr->st_ino);
  if (!search.any) found.attr = *attr;
  search.any = true;
  found.lowers.push_back(index);
  if (!path.empty()) found.detours.push_back({index, std::move(path)});
  if (last) return {};
  // A marker of this layer's archive for the same name speaks of the layers below.
  search.stop = TRY(exists(lower, dir, marker_of(name)));
  if (!search.stop) TRY(follow(search, index, dir, name));
  return {};
}

Result<> OverlayFs::search_lowers(Search& search) {
  // The parts of `view` and the layers are in the same order.
  std::size_t part = 0;
  for (auto index = lowers_.top(); index <= lowers_.last_merged() && !search.stop; ++index) {
    if (!search.path.empty()) {
      const auto path = search.path;
      bool opaque = false;
      const auto dir = open_above(index, path, opaque);
      if (dir) {
        search.opened.push_back(*dir);
        TRY(find_in_lower(search, index, **dir, path.substr(path.rfind('/') + 1).c_str(), path));
      } else if (dir.error().code != ENOENT && dir.error().code != ENOTDIR) {
        return std::unexpected(dir.error());
      }
      if (opaque) search.stop = true;
      continue;
    }
    while (part < search.view.lowers.size() && search.view.lowers[part].layer < index) ++part;
    if (part == search.view.lowers.size()) return {};
    if (search.view.lowers[part].layer != index) continue;
    TRY(find_in_lower(search, index, *search.view.lowers[part].dir, search.name, {}));
  }
  return {};
}

Result<Found> OverlayFs::find(const View& view, Name name) {
  if (is_archive_marker(name)) return fail(ENOENT);
  Search search{.view = view,
                .name = name,
                .path = {},
                .stop = false,
                .any = false,
                .found = {},
                .unchecked = {},
                .opened = {}};
  auto& found = search.found;
  const auto upper = TRY(upper_entry(view, name));
  if (upper.state == UpperState::whiteout) return fail(ENOENT);
  if (upper.state == UpperState::present) {
    search.any = true;
    found.attr = upper.attr;
    found.in_upper = true;
    found.ino = numbers_.shown(upper.attr.st_dev, upper.attr.st_ino);
    if (!found.is_dir()) {
      found.identity = upper.attr.st_ino;
      found.ino = TRY(number_in_upper(view, name, upper.attr.st_dev, upper.attr.st_ino));
      if (upper.attr.st_nlink > 1) TRY(find_links(view, name, found));
      return std::move(found);
    }
    if (lowers_.top() <= lowers_.last_merged()) TRY(follow(search, kUpper, *view.upper, name));
  }
  TRY(search_lowers(search));
  if (!search.any) return fail(ENOENT);
  return std::move(found);
}

Result<bool> OverlayFs::shown_below(const View& view, Name name) {
  if (view.lowers.empty()) return false;
  const auto found = find(View{.dir = view.dir, .upper = nullptr, .lowers = view.lowers}, name);
  if (found) return true;
  if (found.error().code == ENOENT) return false;
  return std::unexpected(found.error());
}

}  // namespace nacre::fs
