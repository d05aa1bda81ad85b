//! Answers one API request: who may ask, what was asked, and which file knows the reply.
//!
//! Called with a site that is up to date. Knows nothing of connections or of faults on the way.

mod availability;
mod commit;
mod configuration;
mod links;
mod logs;
mod network;
mod panorama;
mod ports;
mod routing;
mod services;
mod software;
mod system;
mod system_state;
mod transfer;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::device::Device;
use crate::management::Elsewhere;
use crate::operation::{self, Operation};
use crate::reply::{self, Markup};
use crate::request::{ApiRequest, Command};
use crate::setup::Role;
use crate::site::Site;
use crate::state::Sight;
use crate::tree::Element;
use crate::wording;
use crate::world::World;

/// A device with everything around it that a reply may speak of.
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) site: &'a mut Site,
    pub(crate) index: usize,
    pub(crate) elsewhere: &'a Elsewhere,
}

impl Scene<'_> {
    fn device(&self) -> &Device {
        &self.site.devices[self.index]
    }

    fn device_mut(&mut self) -> &mut Device {
        &mut self.site.devices[self.index]
    }

    fn now(&self) -> Timestamp {
        self.site.now()
    }

    fn sight(&self) -> Sight<'_> {
        Sight {
            world: self.world,
            device: self.device(),
            now: self.now(),
        }
    }

    /// Whether a member of a pair preempts; `None` for a device on its own.
    fn preemptive(&self) -> Option<bool> {
        self.site.pair.as_ref().map(|pair| pair.setup.preemptive)
    }

    fn running_config(&self) -> Arc<Element> {
        self.sight().running_config(self.preemptive())
    }

    fn candidate_config(&self) -> Arc<Element> {
        self.sight().candidate_config(self.preemptive())
    }
}

/// Who asks, and how.
struct Ask<'a> {
    operation: Operation,
    command: &'a Command,
    request: &'a ApiRequest,
    user: &'a str,
}

impl Ask<'_> {
    fn parameter(&self, name: &str) -> &str {
        self.request.parameter(name)
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.command.option(name)
    }

    /// The value of an option, or the word in its place: clients write `<to>F</to>` and `<to><F/></to>`.
    fn name(&self, option: &str) -> &str {
        let last = self.command.words.last();
        self.option(option)
            .or(last.map(String::as_str))
            .unwrap_or_default()
    }
}

/// What a request asks for, as far as it can be told without a device.
#[derive(Debug)]
pub(crate) enum Question {
    Asked(Operation, Command),
    /// The reply to what nobody understands.
    Refused(u16, String),
}

impl Question {
    pub(crate) fn of(request: &ApiRequest) -> Self {
        let kind = request.parameter("type");
        let plain = |operation| Self::Asked(operation, Command::default());
        let (category, action) = (request.parameter("category"), request.parameter("action"));
        let refused = || Self::Refused(400, wording::unsupported(kind, category, action));
        match kind {
            "op" => match Command::parse(request.parameter("cmd")) {
                Err(_) => Self::Refused(18, "Malformed command".to_owned()),
                Ok(command) => match Operation::of(&command) {
                    Ok(operation) => Self::Asked(operation, command),
                    Err(text) => Self::Refused(17, text),
                },
            },
            "commit" => match Command::parse(request.parameter("cmd")) {
                Ok(command) if command.words.first().is_some_and(|word| word == "commit") => {
                    Self::Asked(Operation::Commit, command)
                }
                _ => Self::Refused(18, "Malformed command".to_owned()),
            },
            "keygen" => plain(Operation::Keygen),
            "version" => plain(Operation::Version),
            "export" => transfer::export_operation(category).map_or_else(refused, plain),
            "import" => transfer::import_operation(category).map_or_else(refused, plain),
            "config" => configuration::operation(action).map_or_else(refused, plain),
            "log" => logs::operation(action).map_or_else(refused, plain),
            _ => refused(),
        }
    }

    pub(crate) fn operation(&self) -> Option<Operation> {
        match self {
            Self::Asked(operation, _) => Some(*operation),
            Self::Refused(..) => None,
        }
    }
}

/// The key of one of a device's administrators: fixed by the seed, so that a run repeats. Letters, digits and `=`
/// only; pan-python sends it without percent-encoding.
fn api_key(world: &World, device: &Device, user: &str, password: &str) -> String {
    let digest = Sha256::new()
        .chain_update(world.seed.draw(&device.name, "key", 0).to_be_bytes())
        .chain_update(user.as_bytes())
        .chain_update([0])
        .chain_update(password.as_bytes())
        .finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("LUFRPT1{hex}==")
}

/// Everybody a device knows: user, password, role.
fn administrators<'a>(
    world: &'a World,
    device: &'a Device,
) -> impl Iterator<Item = (&'a str, &'a str, Cow<'a, Role>)> {
    let known = &world.credentials;
    let more = device
        .setup
        .as_deref()
        .map_or(&[][..], |setup| &setup.administrators);
    let first = (
        known.user.as_str(),
        known.password.as_str(),
        Cow::Owned(Role::Superuser),
    );
    let more = more
        .iter()
        .map(|one| (one.user.as_str(), one.password.as_str(), Cow::Borrowed(&one.role)));
    std::iter::once(first).chain(more)
}

/// Who asks with this key, and what they may do; the refusal where that is nobody, or not this.
pub(crate) fn admit(
    scene: &Scene<'_>,
    request: &ApiRequest,
    question: &Question,
) -> Result<String, Box<Response<Bytes>>> {
    let (world, device) = (scene.world, scene.device());
    let caller = administrators(world, device)
        .find(|(user, password, _)| request.key.as_deref() == Some(&api_key(world, device, user, password)));
    match (caller, question) {
        (None, _) => Err(Box::new(reply::invalid_credential())),
        (Some((_, _, role)), Question::Asked(operation, _)) if !role.allows(*operation) => {
            Err(Box::new(reply::error(16, wording::UNAUTHORIZED)))
        }
        (Some((user, ..)), _) => Ok(user.to_owned()),
    }
}

/// The key of the administrator that every device knows.
pub(crate) fn first_key(world: &World, device: &Device) -> String {
    api_key(
        world,
        device,
        &world.credentials.user,
        &world.credentials.password,
    )
}

/// The reply of a device whose API is up.
pub(crate) fn answer(scene: &mut Scene<'_>, request: &ApiRequest, question: &Question) -> Response<Bytes> {
    if let Question::Asked(Operation::Keygen, _) = question {
        return keygen(scene, request);
    }
    let user = match admit(scene, request, question) {
        Ok(user) => user,
        Err(refusal) => return *refusal,
    };
    let (operation, command) = match question {
        Question::Refused(code, text) => return reply::error(*code, text),
        Question::Asked(operation, command) => (*operation, command),
    };
    if !operation.is_known_to(scene.device().class.panorama) {
        return reply::error(17, &operation::unexpected(command));
    }
    let ask = Ask {
        operation,
        command,
        request,
        user: &user,
    };
    panorama::answer(scene, &ask)
        .or_else(|| system::answer(scene, &ask))
        .or_else(|| services::answer(scene, &ask))
        .or_else(|| software::answer(scene, &ask))
        .or_else(|| availability::answer(scene, &ask))
        .or_else(|| configuration::answer(scene, &ask))
        .or_else(|| commit::answer(scene, &ask))
        .or_else(|| transfer::answer(scene, &ask))
        .or_else(|| network::answer(scene, &ask))
        .or_else(|| ports::answer(scene, &ask))
        .or_else(|| logs::answer(scene, &ask))
        .or_else(|| routing::answer(scene, &ask))
        // A test asks for every operation of the table.
        .unwrap_or_else(|| reply::error(1, "Unknown command"))
}

fn keygen(scene: &mut Scene<'_>, request: &ApiRequest) -> Response<Bytes> {
    scene.device_mut().counters.logins += 1;
    let (user, password) = (request.parameter("user"), request.parameter("password"));
    let (world, device) = (scene.world, scene.device());
    if administrators(world, device).any(|known| (known.0, known.1) == (user, password)) {
        reply::success(Markup::new().leaf("key", &api_key(world, device, user, password)))
    } else {
        reply::invalid_credential()
    }
}
