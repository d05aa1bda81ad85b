//! A path as a picture: what is drawn, and by whom.
//!
//! Responsible for: the description of a drawing (feature releases as columns, releases, hops, refusals, advisories) that
//! every renderer reads, and the renderers' names. Must not know: how a path was found, or where a picture is shown.
//!
//! A drawing is made once ([`Drawing::of`]) and rendered as often as wanted. The same drawing gives the same bytes: no
//! renderer reads a clock, what is past is decided by the day it is given.

mod compose;
mod dot;
mod html;
mod ink;
mod lanes;
mod legend;
mod letters;
mod markup;
mod mermaid;
mod rows;
mod steps;
mod svg;

pub use compose::Subject;

use std::collections::BTreeSet;

use crate::route::BrokenRule;

/// More refusals than this hide the path in pictures that programs lay out.
const FEW_REFUSED: usize = 4;

/// A path with everything around it that an operator is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    pub(crate) model: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// The day (`YYYY-MM-DD`) that ends of life are held against.
    pub(crate) today: String,
    /// What a reader has to know before anything else: doubts, open questions, or why there is no path.
    pub(crate) notes: Vec<String>,
    /// In the catalogue's order.
    pub(crate) columns: Vec<Column>,
    /// Every release that is drawn, once, in ascending order.
    pub(crate) releases: Vec<Shown>,
    /// Without stations where there is no path.
    pub(crate) chosen: Way,
    pub(crate) alternatives: Vec<Way>,
    /// The most telling first: a picture has room for some of them, the page lists all.
    pub(crate) refused: Vec<Refused>,
    pub(crate) advisories: Vec<Finding>,
    pub(crate) sources: Vec<Source>,
}

/// A feature release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The day its support ends, and whether that day is past.
    pub(crate) end_of_life: Option<(String, bool)>,
    /// The oldest content it installs with.
    pub(crate) content: Option<String>,
    pub(crate) runs: Runs,
}

impl Column {
    /// What there is to say of it, its name first.
    pub(crate) fn said(&self) -> Vec<String> {
        let mut said = vec![self.name.clone()];
        match &self.end_of_life {
            Some((day, true)) => said.push(format!("support ended {day}")),
            Some((day, false)) => said.push(format!("support until {day}")),
            None => {}
        }
        match &self.runs {
            Runs::All => {}
            Runs::From(minimum) => said.push(format!("runs from {minimum}")),
            Runs::No => said.push("the model does not run it".to_owned()),
        }
        said
    }
}

/// Whether the model runs a feature release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    All,
    From(String),
    No,
}

/// A release in its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) name: String,
    /// Index of its feature release in [`Drawing::columns`].
    pub(crate) column: usize,
    pub(crate) marks: Vec<Mark>,
}

/// An advisory at a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) state: State,
}

/// What is known of an advisory for this device. The order is that of marks, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It hits, and it reboots, loops or leaves no way back.
    Blocks,
    /// It hits, and is only to be known.
    Warns,
    Unknown,
    Suspect,
    Accepted,
    Clear,
}

impl State {
    pub(crate) const ALL: [Self; 6] = [
        Self::Blocks,
        Self::Warns,
        Self::Unknown,
        Self::Suspect,
        Self::Accepted,
        Self::Clear,
    ];

    /// The class of its mark in style sheets.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Warns => "warns",
            Self::Unknown => "unknown",
            Self::Suspect => "suspect",
            Self::Accepted => "accepted",
            Self::Clear => "clear",
        }
    }

    /// What its mark shows besides a number: marks are told apart without their colour.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Blocks => "!",
            Self::Warns => "i",
            Self::Unknown => "?",
            Self::Suspect => "~",
            Self::Accepted => "a",
            Self::Clear => "ok",
        }
    }

    /// After a number, where there is little room.
    pub(crate) fn adjective(self) -> &'static str {
        match self {
            Self::Blocks => "blocking",
            Self::Warns => "warning",
            Self::Unknown => "open",
            Self::Suspect => "suspect",
            Self::Accepted => "accepted",
            Self::Clear => "clear",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Blocks => "exposed, blocks",
            Self::Warns => "exposed, warns",
            Self::Unknown => "open question",
            Self::Suspect => "suspect: no fix is listed",
            Self::Accepted => "accepted",
            Self::Clear => "clear",
        }
    }
}

/// A way from the first of its stations to the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Why it is shown; empty for the chosen one.
    pub(crate) label: String,
    /// Indices into [`Drawing::releases`], all different.
    pub(crate) stations: Vec<usize>,
    /// One less than stations: each leads from one to the next.
    pub(crate) steps: Vec<Step>,
}

impl Way {
    pub(crate) fn expected_minutes(&self) -> u32 {
        self.steps
            .iter()
            .fold(0, |sum, step| sum.saturating_add(step.expected_min))
    }

    pub(crate) fn worst_minutes(&self) -> u32 {
        self.steps
            .iter()
            .fold(0, |sum, step| sum.saturating_add(step.worst_min))
    }

    pub(crate) fn is_off_vendor(&self) -> bool {
        self.steps.iter().any(Step::is_off_vendor)
    }

    /// Each step with the indices of the releases it joins.
    pub(crate) fn legs(&self) -> impl Iterator<Item = (usize, usize, &Step)> {
        let pairs = self.stations.windows(2);
        pairs
            .zip(&self.steps)
            .map(|(pair, step)| (pair[0], pair[1], step))
    }
}

/// One hop as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// "maintenance release", "feature release", "downgrade".
    pub(crate) kind: String,
    pub(crate) expected_min: u32,
    pub(crate) worst_min: u32,
    /// What has to be on disk, in the order it is downloaded, each with what is known of it.
    pub(crate) images: Vec<String>,
    pub(crate) disk: Option<String>,
    pub(crate) content: Option<String>,
    /// Without those an advisory asks for.
    pub(crate) gates: Vec<Said>,
    /// Advisories whose answer is a gate, because facts are missing.
    pub(crate) open_questions: usize,
    pub(crate) way_back: String,
    pub(crate) lost: String,
    pub(crate) ha_rule: String,
    /// For a downgrade: the configuration to load with it.
    pub(crate) configuration: Option<String>,
    pub(crate) broken: Vec<BrokenRule>,
}

impl Step {
    pub(crate) fn is_off_vendor(&self) -> bool {
        !self.broken.is_empty()
    }
}

/// A sentence and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) source: String,
}

/// A hop that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Index into [`Drawing::releases`].
    pub(crate) from: usize,
    /// The same, never equal to `from`.
    pub(crate) to: usize,
    /// Never empty.
    pub(crate) reasons: Vec<BrokenRule>,
}

impl Refused {
    /// The first rule against it, and how many more there are.
    pub(crate) fn main_rule(&self) -> String {
        let first = self.reasons.first().map_or("", |reason| reason.rule.as_str());
        match self.reasons.len() {
            0 | 1 => first.to_owned(),
            all => format!("{first} and {} more", all - 1),
        }
    }

    /// The names of the rules against it.
    pub(crate) fn rules(&self) -> String {
        let rules: Vec<_> = self.reasons.iter().map(|reason| reason.rule.as_str()).collect();
        rules.join(", ")
    }

    /// What the rules say, a line each.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = |reason: &BrokenRule| format!("{} ({}; {})", reason.text, reason.rule, reason.source);
        self.reasons.iter().map(told).collect()
    }
}

/// An advisory with what was found about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) effect: String,
    pub(crate) state: State,
    pub(crate) severity: String,
    /// The releases or hops it was assessed at.
    pub(crate) places: Vec<String>,
    /// The evidence, why it is clear, or what is missing to tell.
    pub(crate) found: Vec<String>,
    pub(crate) action: String,
    pub(crate) source: String,
    pub(crate) confidence: String,
}

/// A fact the path rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) what: String,
    pub(crate) source: String,
    pub(crate) confidence: String,
}

impl Drawing {
    /// The picture for people, as SVG: for white paper and dark screens, without scripts or anything from elsewhere. Reasons
    /// and advisories appear where the pointer rests.
    pub fn to_svg(&self) -> String {
        svg::drawn(self, svg::Extent::Alone)
    }

    /// The picture and its tables, as one page that needs nothing else and prints on A4 landscape.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// For Graphviz.
    pub fn to_dot(&self) -> String {
        dot::drawn(self)
    }

    /// A Mermaid flowchart, as GitHub and GitLab draw it in a description.
    pub fn to_mermaid(&self) -> String {
        mermaid::drawn(self)
    }

    /// The heading of every picture.
    pub(crate) fn title(&self) -> String {
        format!("{}: {} to {}", self.model, self.from, self.to)
    }

    /// What the path comes to, in one sentence.
    pub(crate) fn summary(&self) -> String {
        if self.chosen.steps.is_empty() {
            return "No path".to_owned();
        }
        let kind = if self.chosen.is_off_vendor() {
            "; against rules of the vendor"
        } else {
            ""
        };
        format!(
            "{}, {} minutes expected, {} at worst{kind}",
            counted(self.chosen.steps.len(), "hop"),
            self.chosen.expected_minutes(),
            self.chosen.worst_minutes()
        )
    }

    /// Every hop of the alternatives once, without those of the chosen path, for pictures in which a release is one node.
    pub(crate) fn other_legs(&self) -> Vec<(usize, usize, &Way, &Step)> {
        let mut taken: BTreeSet<_> = self.chosen.legs().map(|(from, to, _)| (from, to)).collect();
        let legs = self
            .alternatives
            .iter()
            .flat_map(|way| way.legs().map(move |(from, to, step)| (from, to, way, step)));
        legs.filter(|(from, to, ..)| taken.insert((*from, *to))).collect()
    }

    /// The refusals there is room for where a program lays the picture out, and all of which cross it.
    pub(crate) fn few_refused(&self) -> &[Refused] {
        &self.refused[..self.refused.len().min(FEW_REFUSED)]
    }

    pub(crate) fn name(&self, release: usize) -> &str {
        &self.releases[release].name
    }
}

/// "1 hop", "2 hops".
pub(crate) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests;
