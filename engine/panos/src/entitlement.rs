//! Reads what a device may use and has been given: content packages, licences, the support contract, plugins.
//! Knows these replies; must not know what an upgrade needs of them.

use hopgate_playbooks::{Content, ContentPackage, Licence, Plugin, Support};
use jiff::civil::Date;

use crate::error::Failure;
use crate::moment;
use crate::xml::{Node, printable, whole_number};

/// `<content-updates><entry><version>8696-7977</version>..`: all packages by number. The device's own order means
/// nothing, and one version can be there twice (as an application package and with threats).
pub(crate) fn content(result: &Node) -> Result<Content, Failure> {
    let list = result
        .child("content-updates")
        .ok_or_else(|| Failure::unreadable("<result> has no <content-updates>"))?;
    let mut packages = Vec::new();
    for entry in list.children_named("entry") {
        let version = entry.required_words("version")?;
        packages.push((content_number(&version)?, package(entry, version)));
    }
    packages.sort_by_key(|(number, _)| *number);
    let packages: Vec<ContentPackage> = packages.into_iter().map(|(_, package)| package).collect();
    Ok(Content {
        installed: packages
            .iter()
            .rfind(|package| package.current)
            .map(|package| package.version.clone()),
        latest: packages.last().map(|package| package.version.clone()),
        refreshed: list.attribute("last-updated-at").map(|at| printable(at, 40)),
        packages,
    })
}

fn package(entry: &Node, version: String) -> ContentPackage {
    ContentPackage {
        version,
        downloaded: entry.yes("downloaded") == Some(true),
        current: entry.yes("current") == Some(true),
        previous: entry.yes("previous") == Some(true),
        released: entry.words("released-on"),
        // `<size-kb>66392</size-kb>` is exact where `<size>64</size>` cuts off; older replies have the latter only.
        size_mb: match entry.number_if_told("size-kb") {
            Ok(None) => entry.number("size"),
            told => told.ok().flatten().map(|kilobytes| kilobytes.div_ceil(1024)),
        },
    }
}

/// `8696-7977`: the first number decides, the second tells builds of it apart.
pub(crate) fn content_number(version: &str) -> Result<(u64, u64), Failure> {
    let numbers = version
        .split_once('-')
        .and_then(|(number, build)| Some((whole_number(number)?, whole_number(build)?)));
    numbers.ok_or_else(|| Failure::unreadable(format!("the content version {:?}", printable(version, 40))))
}

/// `<licenses><entry><feature>..`. A device without a licence answers with an empty list.
pub(crate) fn licences(result: &Node) -> Result<Vec<Licence>, Failure> {
    let list = result
        .child("licenses")
        .ok_or_else(|| Failure::unreadable("<result> has no <licenses>"))?;
    list.children_named("entry").map(licence).collect()
}

fn licence(entry: &Node) -> Result<Licence, Failure> {
    let feature = entry.required_words("feature")?;
    let expires = entry.value("expires");
    Ok(Licence {
        expired: entry.yes("expired").ok_or_else(|| {
            Failure::unreadable(format!("the licence {feature:?} does not say whether it expired"))
        })?,
        description: entry.words("description"),
        serial: entry.words("serial"),
        issued: entry.value("issued").and_then(day),
        expires: expires.and_then(day),
        perpetual: expires.is_some_and(|text| text.eq_ignore_ascii_case("never")),
        feature,
    })
}

/// `<SupportInfoResponse><Support><ExpiryDate>May 20, 2024</ExpiryDate>..`.
pub(crate) fn support(result: &Node) -> Result<Support, Failure> {
    let support = result
        .at(&["SupportInfoResponse", "Support"])
        .ok_or_else(|| Failure::unreadable("<result> has no <Support>"))?;
    let expires = match support.required("ExpiryDate")? {
        never if never.eq_ignore_ascii_case("never") => None,
        text => Some(
            day(text)
                .ok_or_else(|| Failure::unreadable(format!("support ends on {:?}", printable(text, 40))))?,
        ),
    };
    Ok(Support {
        expires,
        level: support.words("SupportLevel"),
    })
}

/// `April 20, 2023`, in English whatever the locale of either side.
fn day(text: &str) -> Option<Date> {
    moment::day(&["%B %-d, %Y", "%B %d, %Y"], text)
}

/// `<plugins><entry><name>vm_series</name>..`: every version of every plugin that the device lists.
pub(crate) fn plugins(result: &Node) -> Result<Vec<Plugin>, Failure> {
    let list = result
        .child("plugins")
        .ok_or_else(|| Failure::unreadable("<result> has no <plugins>"))?;
    let plugin = |entry: &Node| {
        Ok(Plugin {
            name: match entry.attribute("name") {
                Some(name) => printable(name, 80),
                None => entry.required_words("name")?,
            },
            version: entry.words("version"),
            installed: entry.yes("installed"),
            downloaded: entry.yes("downloaded"),
        })
    };
    list.children_named("entry").map(plugin).collect()
}
