//! The configuration, as the API shows it and lets it be edited.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::{Ask, Scene};
use crate::operation::Operation;
use crate::reply::{self, Markup};
use crate::tree::Element;
use crate::wording;
use crate::xpath::XPath;

pub(super) fn operation(action: &str) -> Option<Operation> {
    match action {
        "get" => Some(Operation::ConfigGet),
        "show" => Some(Operation::ConfigShow),
        "set" => Some(Operation::ConfigSet),
        "edit" => Some(Operation::ConfigEdit),
        "delete" => Some(Operation::ConfigDelete),
        "rename" => Some(Operation::ConfigRename),
        _ => None,
    }
}

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let path = || XPath::parse(ask.parameter("xpath"));
    let reply = match ask.operation {
        Operation::RunningConfig => whole(&scene.running_config()),
        Operation::CandidateConfig => whole(&scene.candidate_config()),
        Operation::SavedConfig => saved(scene, ask.name("saved")),
        Operation::ConfigGet | Operation::ConfigShow => match path() {
            Ok(path) => read(scene, ask.operation, &path),
            Err(_) => bad_path(),
        },
        Operation::ConfigSet | Operation::ConfigEdit | Operation::ConfigDelete | Operation::ConfigRename => {
            match path() {
                Ok(path) => edit(scene, ask, &path),
                Err(_) => bad_path(),
            }
        }
        _ => return None,
    };
    Some(reply)
}

fn bad_path() -> Response<Bytes> {
    reply::error(6, wording::BAD_XPATH)
}

fn whole(document: &Element) -> Response<Bytes> {
    reply::success(Markup::new().raw(&document.to_xml()))
}

fn saved(scene: &Scene<'_>, name: &str) -> Response<Bytes> {
    let running = scene.running_config();
    match scene.device().saved_config(&running, name) {
        Some(document) => whole(&document),
        None => reply::error(7, &wording::no_such_file(name)),
    }
}

/// `get` reads the candidate and finds nothing without complaint; `show` reads what runs and complains.
fn read(scene: &Scene<'_>, operation: Operation, path: &XPath) -> Response<Bytes> {
    let from_running = operation == Operation::ConfigShow;
    let document = if from_running {
        scene.running_config()
    } else {
        scene.candidate_config()
    };
    let found = path.find(&document);
    if found.is_empty() {
        return if from_running {
            reply::error(7, wording::NO_SUCH_NODE)
        } else {
            reply::found(7, "", "")
        };
    }
    let inside: String = found.iter().map(|element| element.to_xml()).collect();
    if from_running {
        return reply::success(Markup::new().raw(&inside));
    }
    let count = found.len();
    reply::found(
        19,
        &format!(" total-count=\"{count}\" count=\"{count}\""),
        &inside,
    )
}

fn edit(scene: &mut Scene<'_>, ask: &Ask<'_>, path: &XPath) -> Response<Bytes> {
    if let Some(holder) = scene.device().config_locks.held_by_another(ask.user) {
        return reply::error(14, &wording::configuration_locked(holder));
    }
    let running = scene.running_config();
    let mut candidate = scene.candidate_config();
    let changed = Arc::make_mut(&mut candidate);
    let reply = match ask.operation {
        Operation::ConfigSet => set(changed, path, ask.parameter("element")),
        Operation::ConfigEdit => replace(changed, path, ask.parameter("element")),
        Operation::ConfigDelete => match path.remove(changed) {
            0 => return reply::succeeded(7, "Object doesn't exist"),
            _ => Ok(()),
        },
        _ => rename(changed, path, ask.parameter("newname")),
    };
    match reply {
        Ok(()) => {
            scene.device_mut().replace_candidate(running, candidate);
            reply::succeeded(20, wording::COMMAND_SUCCEEDED)
        }
        Err((code, text)) => reply::error(code, text),
    }
}

type Edited = Result<(), (u16, &'static str)>;

const INVALID: (u16, &str) = (12, "Invalid Object");
const NO_PLACE: (u16, &str) = (6, wording::BAD_XPATH);

/// Adds elements; what is there already is merged, entries by their name.
fn set(document: &mut Element, path: &XPath, elements: &str) -> Edited {
    let elements = Element::parse_all(elements).map_err(|_| INVALID)?;
    let place = path.make(document).ok_or(NO_PLACE)?;
    for element in elements {
        merge(place, element);
    }
    Ok(())
}

fn merge(into: &mut Element, element: Element) {
    let same = |known: &Element| {
        known.name == element.name
            && known.attribute("name") == element.attribute("name")
            && (known.name != "member" || known.text == element.text)
    };
    match into.children.iter_mut().find(|known| same(known)) {
        Some(known) => {
            if element.children.is_empty() {
                known.text = element.text;
            }
            for child in element.children {
                merge(known, child);
            }
        }
        None => into.children.push(element),
    }
}

fn replace(document: &mut Element, path: &XPath, element: &str) -> Edited {
    let element = Element::parse(element).map_err(|_| INVALID)?;
    if path.replace(document, element) {
        Ok(())
    } else {
        Err(NO_PLACE)
    }
}

fn rename(document: &mut Element, path: &XPath, name: &str) -> Edited {
    if name.is_empty() {
        return Err(INVALID);
    }
    if path.find(document).is_empty() {
        return Err((7, wording::NO_SUCH_NODE));
    }
    let entry = path.make(document).ok_or(NO_PLACE)?;
    match entry
        .attributes
        .iter_mut()
        .find(|(attribute, _)| attribute == "name")
    {
        Some((_, value)) => {
            name.clone_into(value);
            Ok(())
        }
        None => Err(INVALID),
    }
}
