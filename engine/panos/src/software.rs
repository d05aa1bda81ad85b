//! Reads the software list of `request system software info` and `check`.
//! Knows its dialects and defects; must not know which image is wanted.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hopgate_paths::Version;
use hopgate_playbooks::Image;

use crate::error::Failure;
use crate::xml::Node;

/// Kilobytes in a megabyte, for lists that give only `size-kb`.
const KB_PER_MB: u64 = 1024;

/// The images of the list, each version once, in the order of versions (the device's own order means nothing).
///
/// A row whose version cannot be read is left out: the update server offers kinds of image that no rule here knows.
/// The row of the *running* image must be readable.
pub(crate) fn images(result: &Node) -> Result<Vec<Image>, Failure> {
    let versions = result
        .at(&["sw-updates", "versions"])
        .ok_or_else(|| Failure::unreadable("<result> has no <sw-updates> with <versions>"))?;
    let mut images = BTreeMap::new();
    for row in rows(versions) {
        let Some(text) = row.value("version") else {
            continue;
        };
        match text.parse::<Version>() {
            Ok(version) => merge(&mut images, image(&row, version)),
            Err(error) if row.value("current") == Some("yes") => {
                return Err(Failure::unreadable(format!("the running image: {error}")));
            }
            Err(_) => {}
        }
    }
    Ok(images.into_values().map(|row: Row| row.image).collect())
}

struct Row {
    image: Image,
    downloading: bool,
}

/// One node per image. Some replies of older releases have no `<entry>`: the fields of all images follow one another
/// under `<versions>`, each image beginning with its `<version>`.
fn rows(versions: &Node) -> Vec<Node> {
    let mut rows: Vec<Node> = Vec::new();
    for child in &versions.children {
        if child.name == "entry" {
            rows.push(child.clone());
        } else if child.name == "version" {
            let mut row = Node::default();
            row.children.push(child.clone());
            rows.push(row);
        } else if let Some(row) = rows.last_mut() {
            row.children.push(child.clone());
        }
    }
    rows
}

fn image(row: &Node, version: Version) -> Row {
    let number = |name: &str| row.value(name).and_then(|text| text.parse::<u64>().ok());
    let size_mb = number("size").or_else(|| number("size-kb").map(|kb| kb.div_ceil(KB_PER_MB)));
    Row {
        image: Image {
            version,
            size_mb: size_mb.filter(|size| *size > 0),
            downloaded: row.value("downloaded") == Some("yes"),
            current: row.value("current") == Some("yes"),
            release_type: row.value("release-type").map(str::to_owned),
        },
        downloading: row.value("downloaded") == Some("downloading"),
    }
}

/// The same version listed twice (an uploaded image and the server's offer of it): on disk if either row says so,
/// unless one of them is being written at this moment.
fn merge(images: &mut BTreeMap<Version, Row>, row: Row) {
    match images.entry(row.image.version) {
        Entry::Vacant(place) => {
            place.insert(row);
        }
        Entry::Occupied(mut place) => {
            let known = place.get_mut();
            known.downloading |= row.downloading;
            known.image.downloaded = (known.image.downloaded || row.image.downloaded) && !known.downloading;
            known.image.current |= row.image.current;
            known.image.size_mb = known.image.size_mb.max(row.image.size_mb);
            if known.image.release_type.is_none() {
                known.image.release_type = row.image.release_type;
            }
        }
    }
}

#[cfg(test)]
mod tests;
