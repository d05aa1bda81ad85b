//! The hop a check looks at: what `hop` is in an expression.
//!
//! Responsible for: the few things of a hop that checks ask about, and how much disk its downloads still need. Must
//! not know: routes, or who decided on the hop.

use hopgate_paths::{Hop, Version};
use serde::Serialize;

use crate::facts::Facts;
use crate::shape::Shape;

/// Free space wanted for each MB still to be downloaded, as a fraction: 1.1, the margin of the vendor's own upgrade
/// assurance (pan-os-upgrade-assurance, `check_free_disk_space`).
const MARGIN: (u64, u64) = (11, 10);

/// What checks can ask about the hop that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopContext {
    /// The release before.
    pub from: Version,
    /// The release after.
    pub to: Version,
    /// The oldest content (the number before the dash) the target installs with, where known.
    pub minimum_content: Option<u32>,
    /// The images the hop needs on disk.
    pub downloads: Vec<Version>,
    /// The images that each later hop of the way needs.
    pub later: Vec<Vec<Version>>,
    /// The longest it may take with its way back, in minutes, where that is known.
    pub minutes: Option<u32>,
}

impl From<&Hop> for HopContext {
    fn from(hop: &Hop) -> Self {
        Self {
            from: hop.from,
            to: hop.to,
            minimum_content: hop.minimum_content,
            downloads: hop.downloads.clone(),
            later: Vec::new(),
            minutes: None,
        }
    }
}

/// `hop` as expressions see it.
#[derive(Serialize)]
pub(crate) struct HopView<'a> {
    from: Version,
    to: Version,
    minimum_content: Option<u32>,
    downloads: &'a [Version],
    needed_disk_mb: Option<u64>,
    later_disk_mb: Option<u64>,
    minutes: Option<u32>,
}

impl HopView<'_> {
    /// What `hop` looks like: nothing, where none is planned.
    pub(crate) fn shape() -> Shape {
        Shape::optional(Shape::record([
            ("from", Shape::Text),
            ("to", Shape::Text),
            ("minimum_content", Shape::optional(Shape::Number)),
            ("downloads", Shape::list(Shape::Text)),
            ("needed_disk_mb", Shape::optional(Shape::Number)),
            ("later_disk_mb", Shape::optional(Shape::Number)),
            ("minutes", Shape::optional(Shape::Number)),
        ]))
    }
}

impl HopContext {
    /// The first hop of a way, which knows what the others need.
    pub fn on_way<'h>(way: impl IntoIterator<Item = &'h Hop>) -> Option<Self> {
        let mut way = way.into_iter();
        let first = Self::from(way.next()?);
        Some(Self {
            later: way.map(|hop| hop.downloads.clone()).collect(),
            ..first
        })
    }

    /// The same, where it is known how long it may take.
    #[must_use]
    pub fn lasting(self, minutes: u32) -> Self {
        Self {
            minutes: Some(minutes),
            ..self
        }
    }

    pub(crate) fn view(&self, facts: &Facts) -> HopView<'_> {
        HopView {
            from: self.from,
            to: self.to,
            minimum_content: self.minimum_content,
            downloads: &self.downloads,
            needed_disk_mb: self.needed_disk_mb(facts),
            later_disk_mb: self.later_disk_mb(facts),
            minutes: self.minutes,
        }
    }

    /// MB that must be free for what is not on disk yet, margin included; none where a size is not known.
    pub fn needed_disk_mb(&self, facts: &Facts) -> Option<u64> {
        room_for(&self.downloads, facts)
    }

    /// MB that must be free for the largest of the later hops, as [`HopContext::needed_disk_mb`] counts it: images of the hops
    /// before it can be deleted by then. 0 where there is no later hop.
    pub fn later_disk_mb(&self, facts: &Facts) -> Option<u64> {
        let mut each = self.later.iter().map(|downloads| room_for(downloads, facts));
        each.try_fold(0, |most, needed| Some(most.max(needed?)))
    }
}

fn room_for(downloads: &[Version], facts: &Facts) -> Option<u64> {
    let software = facts.software.known()?;
    let mut missing: u64 = 0;
    for version in downloads {
        let image = software.iter().find(|image| image.version == *version)?;
        if !image.downloaded {
            missing = missing.checked_add(image.size_mb?)?;
        }
    }
    Some(missing.checked_mul(MARGIN.0)?.div_ceil(MARGIN.1))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::facts::{Fact, Image};

    fn image(version: &str, size_mb: Option<u64>, downloaded: bool) -> Image {
        Image {
            version: version.parse().unwrap(),
            size_mb,
            downloaded,
            current: false,
            release_type: None,
        }
    }

    fn needed(software: Fact<Vec<Image>>) -> Option<u64> {
        let facts = Facts {
            software,
            ..Facts::unread("fw1", Timestamp::UNIX_EPOCH)
        };
        let hop = HopContext {
            from: "10.1.3".parse().unwrap(),
            to: "10.2.4-h4".parse().unwrap(),
            minimum_content: Some(8614),
            downloads: vec!["10.2.0".parse().unwrap(), "10.2.4-h4".parse().unwrap()],
            later: Vec::new(),
            minutes: None,
        };
        hop.needed_disk_mb(&facts)
    }

    #[test]
    fn what_expressions_may_name_is_what_they_see() {
        let hop = HopContext {
            from: "10.1.3".parse().unwrap(),
            to: "10.2.0".parse().unwrap(),
            minimum_content: None,
            downloads: Vec::new(),
            later: Vec::new(),
            minutes: None,
        };
        let seen = serde_json::to_value(hop.view(&Facts::unread("fw1", Timestamp::UNIX_EPOCH))).unwrap();
        let Shape::Record(fields) = HopView::shape().present().clone() else {
            panic!("not a record")
        };
        assert!(seen.as_object().unwrap().keys().eq(fields.keys()));
    }

    #[test]
    fn of_the_later_hops_the_largest_counts() {
        let later = |later: &[&[&str]]| {
            let software = vec![
                image("11.0.0", Some(1000), false),
                image("11.0.4", Some(400), true),
                image("11.1.0", Some(1200), false),
                image("11.1.6", None, false),
            ];
            let facts = Facts {
                software: Fact::Known(software),
                ..Facts::unread("fw1", Timestamp::UNIX_EPOCH)
            };
            let images = |hop: &&[&str]| hop.iter().map(|version| version.parse().unwrap()).collect();
            let hop = HopContext {
                from: "10.1.3".parse().unwrap(),
                to: "10.2.0".parse().unwrap(),
                minimum_content: None,
                downloads: Vec::new(),
                later: later.iter().map(images).collect(),
                minutes: None,
            };
            hop.later_disk_mb(&facts)
        };
        assert_eq!(later(&[]), Some(0));
        assert_eq!(later(&[&["11.0.0", "11.0.4"]]), Some(1100));
        assert_eq!(later(&[&["11.0.0"], &["11.1.0"], &[]]), Some(1320));
        assert_eq!(later(&[&["11.0.0"], &["11.1.6"]]), None);
        assert_eq!(later(&[&["11.2.0"]]), None);
    }

    #[test]
    fn only_what_is_not_on_disk_counts_and_an_unknown_size_is_not_zero() {
        let target = || image("10.2.4-h4", Some(492), false);
        assert_eq!(
            needed(Fact::Known(vec![image("10.2.0", Some(1037), false), target()])),
            Some(1682)
        );
        assert_eq!(
            needed(Fact::Known(vec![image("10.2.0", Some(1037), true), target()])),
            Some(542)
        );
        assert_eq!(
            needed(Fact::Known(vec![image("10.2.0", None, true), target()])),
            Some(542)
        );
        assert_eq!(
            needed(Fact::Known(vec![image("10.2.0", None, false), target()])),
            None
        );
        assert_eq!(needed(Fact::Known(vec![target()])), None);
        assert_eq!(needed(Fact::Unknown("silent".to_owned())), None);
        assert_eq!(
            needed(Fact::Known(vec![
                image("10.2.0", Some(u64::MAX), false),
                target()
            ])),
            None
        );
    }
}
