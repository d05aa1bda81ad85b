//! The part of XPath that configuration requests are written in: child steps, any name, predicates on attributes
//! and child texts.
//!
//! Knows trees and paths, not what a configuration means.

use crate::tree::Element;

/// Most steps of a path, so that no tree grows deeper than what handles it can bear.
const LONGEST: usize = 64;

/// A path from the root: `/config/devices/entry[@name='localhost.localdomain']/network`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XPath(Vec<Step>);

/// One step: a name, or any, and what has to be true of the element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// `None` is `*`.
    name: Option<String>,
    /// All have to hold; of each, one alternative.
    predicates: Vec<Vec<Test>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Attribute(String, String),
    Child(String, String),
    Text(String),
}

/// A path that is none, or uses what this subset has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadXPath;

impl XPath {
    pub(crate) fn parse(text: &str) -> Result<Self, BadXPath> {
        let mut rest = text.trim().strip_prefix('/').ok_or(BadXPath)?;
        let mut steps = Vec::new();
        loop {
            let (step, after) = Step::parse(rest)?;
            steps.push(step);
            match after.strip_prefix('/') {
                Some(next) if steps.len() < LONGEST => rest = next,
                None if after.is_empty() => return Ok(Self(steps)),
                _ => return Err(BadXPath),
            }
        }
    }

    /// All elements the path leads to, in the order of the document.
    pub(crate) fn find<'t>(&self, root: &'t Element) -> Vec<&'t Element> {
        let Some((first, steps)) = self.0.split_first().filter(|(first, _)| first.holds(root)) else {
            return Vec::new();
        };
        let _ = first;
        steps.iter().fold(vec![root], |found, step| {
            found
                .into_iter()
                .flat_map(|element| element.children.iter().filter(|child| step.holds(child)))
                .collect()
        })
    }

    /// The element the path leads to, made with everything on the way where it is missing; the first of several.
    /// `None` for a path that names nothing to make.
    pub(crate) fn make<'t>(&self, root: &'t mut Element) -> Option<&'t mut Element> {
        let (first, steps) = self.0.split_first()?;
        if !first.holds(root) {
            return None;
        }
        let mut element = root;
        for step in steps {
            let place = match element.children.iter().position(|child| step.holds(child)) {
                Some(place) => place,
                None => {
                    element.children.push(step.made()?);
                    element.children.len() - 1
                }
            };
            element = &mut element.children[place];
        }
        Some(element)
    }

    /// Takes out every element the path leads to; how many there were. The root stays.
    pub(crate) fn remove(&self, root: &mut Element) -> usize {
        let Some((_, steps)) = self.0.split_first().filter(|(first, _)| first.holds(root)) else {
            return 0;
        };
        remove(root, steps)
    }

    /// Puts `element` in the place of the one the path leads to, or where it would be; whether the path can lead to
    /// such an element.
    pub(crate) fn replace(&self, root: &mut Element, element: Element) -> bool {
        let fits = |step: &Step| step.name.as_deref().is_none_or(|name| name == element.name);
        if !self.0.last().is_some_and(fits) {
            return false;
        }
        match self.make(root) {
            Some(place) => {
                *place = element;
                true
            }
            None => false,
        }
    }
}

fn remove(element: &mut Element, steps: &[Step]) -> usize {
    match steps {
        [] => 0,
        [last] => {
            let before = element.children.len();
            element.children.retain(|child| !last.holds(child));
            before - element.children.len()
        }
        [step, rest @ ..] => element
            .children
            .iter_mut()
            .filter(|child| step.holds(child))
            .map(|child| remove(child, rest))
            .sum(),
    }
}

impl Step {
    fn parse(text: &str) -> Result<(Self, &str), BadXPath> {
        let end = text.find(['/', '[']).unwrap_or(text.len());
        let (name, mut rest) = text.split_at(end);
        let name = match name.trim() {
            "*" => None,
            name if is_name(name) => Some(name.to_owned()),
            _ => return Err(BadXPath),
        };
        let mut predicates = Vec::new();
        while let Some(inside) = rest.strip_prefix('[') {
            let (tests, after) = alternatives(inside)?;
            predicates.push(tests);
            rest = after;
        }
        Ok((Self { name, predicates }, rest))
    }

    fn holds(&self, element: &Element) -> bool {
        self.name.as_ref().is_none_or(|name| *name == element.name)
            && self
                .predicates
                .iter()
                .all(|tests| tests.iter().any(|test| test.holds(element)))
    }

    /// An element that this step would lead to.
    fn made(&self) -> Option<Element> {
        let mut element = Element::new(self.name.as_deref()?);
        for tests in &self.predicates {
            match tests.as_slice() {
                [Test::Attribute(name, value)] => element.attributes.push((name.clone(), value.clone())),
                [Test::Text(text)] => element.text.clone_from(text),
                _ => return None,
            }
        }
        Some(element)
    }
}

impl Test {
    fn holds(&self, element: &Element) -> bool {
        match self {
            Self::Attribute(name, value) => element.attribute(name) == Some(value),
            Self::Child(name, text) => {
                let mut children = element.children.iter();
                children.any(|child| child.name == *name && child.text.trim() == text)
            }
            Self::Text(text) => element.text.trim() == text,
        }
    }
}

fn is_name(text: &str) -> bool {
    let legal = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.');
    !text.is_empty() && text.chars().all(legal) && !text.starts_with(['-', '.'])
}

/// `@name='x' or @name="y"]`: the tests, and what follows the bracket.
fn alternatives(text: &str) -> Result<(Vec<Test>, &str), BadXPath> {
    let (mut tests, mut rest) = (Vec::new(), text);
    loop {
        let (subject, after) = rest.split_once('=').ok_or(BadXPath)?;
        let after = after.trim_start();
        let quote = after
            .chars()
            .next()
            .filter(|quote| matches!(quote, '\'' | '"'))
            .ok_or(BadXPath)?;
        let (value, after) = after[1..].split_once(quote).ok_or(BadXPath)?;
        tests.push(match subject.trim() {
            "text()" => Test::Text(value.to_owned()),
            subject => match subject.strip_prefix('@') {
                Some(name) if is_name(name) => Test::Attribute(name.to_owned(), value.to_owned()),
                None if is_name(subject) => Test::Child(subject.to_owned(), value.to_owned()),
                _ => return Err(BadXPath),
            },
        });
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix(']') {
            return Ok((tests, after));
        }
        rest = after
            .strip_prefix("or")
            .filter(|more| more.starts_with(' '))
            .ok_or(BadXPath)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Element {
        Element::parse(
            "<config><shared><certificate><entry name='a'><algorithm>RSA</algorithm></entry>\
             <entry name='b'><algorithm>EC</algorithm></entry></certificate>\
             <tag><member>x</member><member>y</member></tag></shared></config>",
        )
        .unwrap()
    }

    fn found(path: &str) -> String {
        match XPath::parse(path) {
            Ok(path) => path
                .find(&tree())
                .iter()
                .map(|element| element.to_xml())
                .collect(),
            Err(BadXPath) => "bad".to_owned(),
        }
    }

    #[test]
    fn paths_lead_to_elements() {
        let shown: Vec<String> = [
            "/config/shared/certificate/entry[@name='a']",
            "/config/shared/certificate/entry[@name = \"b\"]/algorithm",
            "/config/shared/certificate/entry[algorithm='EC']",
            "/config/shared/certificate/entry[@name='a' or @name='b']/algorithm",
            "/config/shared/*/member[text()='y']",
            "/config/shared/certificate/entry[@name='c']",
            "/conf",
            "config",
            "/config//entry",
            "/config/entry[1]",
            "/config/entry[@name='a]",
            "/config/entry[@name='a'",
            "/config/",
            "",
        ]
        .into_iter()
        .map(|path| format!("{path} -> {}", found(path)))
        .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        /config/shared/certificate/entry[@name='a'] -> <entry name="a"><algorithm>RSA</algorithm></entry>
        /config/shared/certificate/entry[@name = "b"]/algorithm -> <algorithm>EC</algorithm>
        /config/shared/certificate/entry[algorithm='EC'] -> <entry name="b"><algorithm>EC</algorithm></entry>
        /config/shared/certificate/entry[@name='a' or @name='b']/algorithm -> <algorithm>RSA</algorithm><algorithm>EC</algorithm>
        /config/shared/*/member[text()='y'] -> <member>y</member>
        /config/shared/certificate/entry[@name='c'] -> 
        /conf -> 
        config -> bad
        /config//entry -> bad
        /config/entry[1] -> bad
        /config/entry[@name='a] -> bad
        /config/entry[@name='a' -> bad
        /config/ -> bad
         -> bad
        "#);
    }

    #[test]
    fn a_path_has_an_end() {
        let path = |steps: usize| XPath::parse(&"/a".repeat(steps));
        assert!(path(LONGEST).is_ok());
        assert_eq!(path(LONGEST + 1), Err(BadXPath));
        assert_eq!(path(20_000), Err(BadXPath));
    }

    #[test]
    fn elements_are_made_replaced_and_removed() {
        let mut tree = tree();
        let path = |text: &str| XPath::parse(text).unwrap();
        let made = path("/config/shared/address/entry[@name='h1']")
            .make(&mut tree)
            .unwrap();
        made.children.push(Element::leaf("ip-netmask", "10.0.0.1"));
        assert!(path("/config/shared/tag").replace(&mut tree, Element::new("tag")));
        assert!(!path("/config/shared/tag").replace(&mut tree, Element::new("other")));
        assert_eq!(
            path("/config/shared/certificate/entry[algorithm='EC']").remove(&mut tree),
            1
        );
        assert_eq!(path("/config/shared/nothing").remove(&mut tree), 0);
        assert_eq!(path("/config").remove(&mut tree), 0, "the root stays");
        assert!(path("/config/*").make(&mut Element::new("config")).is_none());
        insta::assert_snapshot!(tree.to_xml(), @r#"<config><shared><certificate><entry name="a"><algorithm>RSA</algorithm></entry></certificate><tag/><address><entry name="h1"><ip-netmask>10.0.0.1</ip-netmask></entry></address></shared></config>"#);
    }
}
