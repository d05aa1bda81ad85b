//! The releases that brought a fix, and whether another one holds it.
//!
//! Responsible for: the one place that knows that a higher number need not hold a fix. Must not know: what is fixed.

use serde::Serialize;

use crate::version::{Suffix, Train, Version};

/// Whether a release holds a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixState {
    /// It does.
    Fixed,
    /// It does not, though its feature release has the fix elsewhere.
    Affected,
    /// No release of its feature release is listed: nobody says.
    Unlisted,
}

impl FixState {
    /// `fixed`, `affected`, `unlisted`: the words of playbooks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::Unlisted => "unlisted",
        }
    }
}

/// The releases a vendor's notes list as bringing a fix.
///
/// A hotfix brings a fix to its own maintenance release only: with 10.2.10-h17, 10.2.13-h7 and 10.2.14 listed
/// (PAN-273453), 10.2.13 is affected. A maintenance release brings it to itself, to every later one of its feature
/// release, and to their hotfixes; so does, for later maintenance releases, the last one listed as a hotfix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FixPoints(Vec<Version>);

impl FromIterator<Version> for FixPoints {
    fn from_iter<I: IntoIterator<Item = Version>>(points: I) -> Self {
        let mut points: Vec<_> = points.into_iter().collect();
        points.sort_unstable();
        points.dedup();
        Self(points)
    }
}

impl FixPoints {
    /// Whether none is listed at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The points, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Version> {
        self.0.iter().copied()
    }

    /// The points of one feature release.
    pub fn in_train(&self, train: Train) -> &[Version] {
        let start = self.0.partition_point(|point| point.train() < train);
        let end = self.0.partition_point(|point| point.train() <= train);
        &self.0[start..end]
    }

    /// Whether `release` holds the fix.
    pub fn state(&self, release: Version) -> FixState {
        let listed = self.in_train(release.train());
        let Some(last) = listed.last() else {
            return FixState::Unlisted;
        };
        let holds = |point: &Version| {
            *point <= release
                && (point.suffix() <= Suffix::None || point.maintenance() == release.maintenance())
        };
        if release.maintenance() > last.maintenance() || listed.iter().any(holds) {
            FixState::Fixed
        } else {
            FixState::Affected
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(texts: &[&str]) -> FixPoints {
        texts
            .iter()
            .map(|text| text.parse::<Version>().unwrap())
            .collect()
    }

    #[test]
    fn a_higher_release_need_not_hold_a_fix() {
        let fixes = points(&["10.2.14", "10.2.10-h17", "10.2.13-h7", "10.1.11-h1"]);
        for (release, expected) in [
            ("10.2.9", "affected"),
            ("10.2.10-h9", "affected"),
            ("10.2.10-h17", "fixed"),
            ("10.2.11", "affected"),
            ("10.2.13", "affected"),
            ("10.2.13-h7", "fixed"),
            ("10.2.14-c3", "affected"),
            ("10.2.14", "fixed"),
            ("10.2.14-h1", "fixed"),
            ("10.2.18", "fixed"),
            ("10.1.11", "affected"),
            ("10.1.11-h1", "fixed"),
            ("10.1.12", "fixed"),
            ("11.0.1", "unlisted"),
            ("9.1.16", "unlisted"),
        ] {
            assert_eq!(
                fixes.state(release.parse().unwrap()).name(),
                expected,
                "{release}"
            );
        }
        assert_eq!(points(&[]).state("10.2.1".parse().unwrap()), FixState::Unlisted);
    }

    proptest! {
        /// Once a plain maintenance release is listed, nothing above it in its train lacks the fix; and listing one
        /// more release never takes a fix away from the releases of the maintenance it is on.
        #[test]
        fn a_listed_maintenance_release_covers_all_that_follow(
            maintenance in 0..20u16, hotfixes in prop::collection::vec((0..20u16, 1..30u16), 0..5), above in 0..10u16,
        ) {
            let train = Train { major: 10, minor: 2 };
            let hotfix = |(maintenance, number): (u16, u16)| format!("10.2.{maintenance}-h{number}").parse::<Version>().unwrap();
            let listed: FixPoints = hotfixes.into_iter().map(hotfix).chain([Version::of(train, maintenance)]).collect();
            prop_assert_eq!(listed.state(Version::of(train, maintenance + above)), FixState::Fixed);
            prop_assert_eq!(listed.state(hotfix((maintenance + above, 1))), FixState::Fixed);
            for point in listed.iter() {
                prop_assert_eq!(listed.state(point), FixState::Fixed);
            }
        }
    }
}
