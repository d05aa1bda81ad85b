//! Reads the running configuration as a stream, and visits only the paths that a fact comes from.
//!
//! Knows these paths. Whatever is on no path is skipped without being looked at: private keys, password hashes and shared
//! secrets never leave the reply, and no error quotes it. Must not know what follows from what was found.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_playbooks::{
    Certificate, ConfigurationShape, ExternalList, GlobalProtect, GlobalProtectService, LogTargets,
};
use jiff::Timestamp;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::certificate;
use crate::error::Failure;
use crate::moment;
use crate::xml::{ATTRIBUTES_MAX, Raw, printable, resolve};

use log_settings::LogSettings;
use paths::{At, Step, paths};

mod log_settings;
mod paths;

/// How much text of one element is kept. A certificate of a 16384 bit key has less.
const TEXT: usize = 64 * 1024;

/// What was found in a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) bytes: u64,
    pub(crate) version: Option<String>,
    /// Whether values that a Panorama template pushed are in it, marked as such.
    pub(crate) has_template_values: bool,
    pub(crate) settings: Settings,
    certificates: BTreeMap<(String, String), Words>,
    lists: BTreeMap<(String, String), ExternalList>,
    logs: LogSettings,
    pub(crate) globalprotect: GlobalProtect,
    pub(crate) report_mails: ReportMails,
}

/// Place and name of each mail with reports, how often it is sent, and the day.
pub(crate) type ReportMails = BTreeMap<(String, String), (String, Option<String>)>;

/// What the configuration says of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Words {
    pem: Option<String>,
    expiry_epoch: Option<i64>,
    algorithm: Option<String>,
    subject: Option<String>,
    authority: bool,
}

/// The settings that features come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) advanced_routing: bool,
    pub(crate) ospf: bool,
    pub(crate) ospf_point_to_point: bool,
    pub(crate) user_id_zone: bool,
    pub(crate) hsm: bool,
    pub(crate) chacha20: bool,
    pub(crate) fail_open: bool,
    pub(crate) nat: bool,
    pub(crate) application_usage_off: bool,
    /// The virtual systems, by their ids: `vsys1`.
    pub(crate) vsys: BTreeSet<String>,
    /// The service profiles of authentication portals, with their virtual systems.
    pub(crate) portal_profiles: BTreeSet<(String, String)>,
    /// Every SSL/TLS service profile, and whether it has a highest version.
    pub(crate) tls_profiles: BTreeMap<(String, String), bool>,
    pub(crate) ike_interfaces: BTreeSet<String>,
    /// Aggregate interfaces that are DHCP clients.
    pub(crate) dhcp_aggregates: BTreeSet<String>,
    pub(crate) ha1_peer: Option<String>,
    pub(crate) ha1_address: Option<String>,
    pub(crate) ha1_netmask: Option<String>,
}

/// Goes through `<response><result><config>..` once.
pub(crate) fn read(reply: Raw<'_>) -> Result<Found, Failure> {
    let text = String::from_utf8_lossy(reply.body);
    let mut walk = Walk::default();
    let outcome = walk.through(&text);
    if !walk.is_configuration {
        // An error, or no configuration: small, and its message is the device's.
        reply.result()?;
        return Err(Failure::unreadable("a success reply without a configuration"));
    }
    if reply.status != 200 {
        return Err(Failure::garbled(format!(
            "HTTP {} with a configuration, which is not shown",
            reply.status
        )));
    }
    outcome.map_err(|place| {
        let bytes = reply.body.len();
        Failure::garbled(format!(
            "a configuration of {bytes} bytes that is wrong at byte {place}, which is not shown"
        ))
    })?;
    let mut found = walk.found;
    found.bytes = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
    found.has_template_values = text.contains(r#"src="tpl""#);
    Ok(found)
}

/// Which of these certificates anything names: as a whole value, or as the name of more entries than there are
/// certificates of that name. One pass over the text, for as many names as there are.
pub(crate) fn named_elsewhere<'n>(reply: Raw<'_>, names: impl Iterator<Item = &'n str>) -> BTreeSet<String> {
    // Name as it is written in XML -> name, its own entries, the entries found.
    let mut known: BTreeMap<String, (&str, usize, usize)> = BTreeMap::new();
    for name in names {
        let written = quick_xml::escape::escape(name).into_owned();
        known.entry(written).or_insert((name, 0, 0)).1 += 1;
    }
    let mut found = BTreeSet::new();
    let text = String::from_utf8_lossy(reply.body);
    for piece in text.split('>') {
        let Some((value, tag)) = piece.split_once('<') else {
            continue;
        };
        // A certificate says its own common name, which is often its name too.
        if !tag.starts_with("/common-name")
            && let Some((name, _, _)) = known.get(value)
        {
            found.insert((*name).to_owned());
        }
        let entry = tag.strip_prefix("entry name=").and_then(|quoted| quoted.get(1..));
        let entry = entry.and_then(|quoted| quoted.split(['"', '\'']).next());
        if let Some((name, own, entries)) = entry.and_then(|name| known.get_mut(name)) {
            *entries += 1;
            if entries > own {
                found.insert((*name).to_owned());
            }
        }
    }
    found
}

/// One pass over a document.
#[derive(Default)]
struct Walk {
    found: Found,
    is_configuration: bool,
    open: Vec<Open>,
}

/// An element on a path.
struct Open {
    step: &'static Step,
    /// What stands for the element in the path: an entry's name, or the name of any element.
    name: Option<String>,
    text: String,
}

impl Walk {
    /// The error is the place where it stopped.
    fn through(&mut self, text: &str) -> Result<(), u64> {
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
        reader.config_mut().allow_dangling_amp = true;
        // Elements around the configuration: <response> and <result>, or none in an export.
        let mut around = 0_usize;
        loop {
            let event = reader.read_event().map_err(|_| reader.error_position())?;
            match event {
                Event::Start(tag) if self.open.is_empty() => {
                    if self.is_envelope(&tag) {
                        around += 1;
                    } else if !self.begins(&tag) {
                        return Err(reader.buffer_position());
                    }
                }
                Event::Start(tag) => {
                    if !self.enter(&tag) {
                        reader
                            .read_to_end(tag.name())
                            .map_err(|_| reader.error_position())?;
                    }
                }
                Event::Empty(tag) if self.open.is_empty() => {
                    // An empty configuration, or an empty result.
                    if !self.begins(&tag) && !self.is_envelope(&tag) {
                        return Err(reader.buffer_position());
                    }
                    self.open.clear();
                }
                Event::Empty(tag) => {
                    if self.enter(&tag) {
                        self.leave();
                    }
                }
                Event::End(_) if self.open.is_empty() => around = around.saturating_sub(1),
                Event::End(_) => self.leave(),
                Event::Text(part) => self.text(&part.xml10_content()),
                Event::CData(part) => self.text(&part.xml10_content()),
                Event::GeneralRef(part) => {
                    let resolved = resolve(&part).map_err(|_| reader.buffer_position())?;
                    self.text(&resolved);
                }
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
                Event::Eof if self.open.is_empty() && around == 0 && self.is_configuration => return Ok(()),
                Event::Eof => return Err(reader.buffer_position()),
            }
        }
    }

    fn is_envelope(&self, tag: &BytesStart<'_>) -> bool {
        !self.is_configuration && matches!(tag.name().as_ref(), "response" | "result")
    }

    fn begins(&mut self, tag: &BytesStart<'_>) -> bool {
        if tag.name().as_ref() != "config" || self.is_configuration {
            return false;
        }
        self.is_configuration = true;
        self.found.version = attribute(tag, "version").map(|version| printable(&version, 40));
        self.open.push(Open {
            step: paths(),
            name: None,
            text: String::new(),
        });
        true
    }

    /// Whether the element is on a path; it is open then.
    fn enter(&mut self, tag: &BytesStart<'_>) -> bool {
        let name = tag.name();
        let element: &str = name.as_ref();
        let Some(step) = self.open.last().and_then(|open| open.step.child(element)) else {
            return false;
        };
        let name = match element {
            "entry" => Some(attribute(tag, "name").unwrap_or_default()),
            _ => Some(element.to_owned()),
        };
        self.open.push(Open {
            step,
            name: name.map(|name| printable(&name, 200)),
            text: String::new(),
        });
        if let Some(at) = step.at {
            self.reached(at);
        }
        self.note_vsys();
        true
    }

    /// `<config><devices><entry><vsys><entry name="vsys1">`: the fifth element on the way.
    fn note_vsys(&mut self) {
        if let [_, _, _, above, entry] = self.open.as_slice()
            && above.name.as_deref() == Some("vsys")
            && let Some(id) = &entry.name
        {
            self.found.settings.vsys.insert(id.clone());
        }
    }

    fn text(&mut self, part: &str) {
        if let Some(open) = self.open.last_mut()
            && open.step.at.is_some()
            && open.text.len() + part.len() <= TEXT
        {
            open.text.push_str(part);
        }
    }

    fn leave(&mut self) {
        if let Some(at) = self.open.last().and_then(|open| open.step.at) {
            let text = self.open.last().map(|open| open.text.trim().to_owned());
            self.said(at, &text.unwrap_or_default());
        }
        self.open.pop();
    }

    /// The name that the element `up` levels above stands for.
    fn name(&self, up: usize) -> String {
        let index = self.open.len().checked_sub(up + 1);
        let open = index.and_then(|index| self.open.get(index));
        open.and_then(|open| open.name.clone()).unwrap_or_default()
    }

    /// `shared`, or the virtual system: the first level below `<config>`, or the fourth.
    fn place(&self) -> String {
        let named = |level: usize| self.open.get(level).and_then(|open| open.name.clone());
        match named(1).as_deref() {
            Some("shared") => "shared".to_owned(),
            _ => named(4).unwrap_or_default(),
        }
    }

    fn certificate(&mut self) -> &mut Words {
        let key = (self.place(), self.name(1));
        self.found.certificates.entry(key).or_default()
    }

    /// The list whose element `up` levels above names its kind.
    fn list(&mut self, up: usize) -> &mut ExternalList {
        let (place, name, kind) = (self.place(), self.name(up + 2), self.name(up));
        let key = (place.clone(), name.clone());
        self.found.lists.entry(key).or_insert_with(|| ExternalList {
            place,
            name,
            kind: Some(kind),
            source: None,
            certificate_profile: None,
            authenticated: false,
            every: None,
            at: None,
            day: None,
        })
    }

    /// The servers of the profile that is `up` levels above, below its kind.
    fn log_servers(&mut self, up: usize) -> &mut Vec<String> {
        let (place, kind, name) = (self.place(), self.name(up + 1), self.name(up));
        self.found.logs.servers(place, kind, name)
    }

    fn log_server(&mut self, up: usize, address: Option<String>) {
        let address = address.map(|address| without_login(&address));
        self.log_servers(up).extend(address);
    }

    fn globalprotect_service(&self) -> GlobalProtectService {
        GlobalProtectService {
            place: self.place(),
            name: self.name(0),
        }
    }

    /// An element whose being there says something.
    fn reached(&mut self, at: At) {
        match at {
            At::List => {
                self.list(0);
            }
            At::ListLogin => self.list(1).authenticated = true,
            At::ListRecurrence => self.list(2).every = Some(self.name(0)),
            At::ReportMail => {
                let (key, every) = ((self.place(), self.name(2)), self.name(0));
                self.found.report_mails.insert(key, (every, None));
            }
            At::Chacha20 => self.found.settings.chacha20 = true,
            At::TlsProfile => {
                let key = (self.place(), self.name(0));
                self.found.settings.tls_profiles.entry(key).or_default();
            }
            At::TlsProfileMaximum => {
                let key = (self.place(), self.name(2));
                self.found.settings.tls_profiles.insert(key, true);
            }
            At::Nat => self.found.settings.nat = true,
            At::Hsm => self.found.settings.hsm |= self.name(0) != "none",
            At::DhcpAggregate => {
                let interface = self.dhcp_interface(0);
                self.found.settings.dhcp_aggregates.insert(interface);
            }
            At::Ospf => self.found.settings.ospf = true,
            At::OspfLinkType => self.found.settings.ospf_point_to_point |= self.name(0) == "p2p",
            At::LogProfile => {
                self.log_servers(0);
            }
            At::Portal => {
                let portal = self.globalprotect_service();
                self.found.globalprotect.portals.push(portal);
            }
            At::Gateway => {
                let gateway = self.globalprotect_service();
                self.found.globalprotect.gateways.push(gateway);
            }
            _ => {}
        }
    }

    /// An element whose text says something.
    fn said(&mut self, at: At, text: &str) {
        let is_yes = text == "yes";
        let kept = (!text.is_empty()).then(|| printable(text, 300));
        match at {
            At::CertificatePem => self.certificate().pem = Some(text.to_owned()),
            At::CertificateEnd => self.certificate().expiry_epoch = moment::epoch_seconds(text),
            At::CertificateAlgorithm => self.certificate().algorithm = kept,
            At::CertificateSubject => self.certificate().subject = kept,
            At::CertificateAuthority => self.certificate().authority = is_yes,
            At::ListSource => self.list(1).source = kept.map(|source| without_login(&source)),
            At::ListProfile => self.list(1).certificate_profile = kept.filter(|profile| profile != "None"),
            At::ListHour => self.list(3).at = kept,
            At::ListDay => self.list(3).day = kept,
            At::ReportMail => {
                let key = (self.place(), self.name(2));
                if let Some((_, day)) = self.found.report_mails.get_mut(&key) {
                    *day = kept;
                }
            }
            At::UserIdZone => self.found.settings.user_id_zone |= is_yes,
            At::PortalProfile => {
                let place = self.place();
                let profile = kept.map(|profile| (place, profile));
                self.found.settings.portal_profiles.extend(profile);
            }
            At::AdvancedRouting => self.found.settings.advanced_routing = is_yes,
            At::ApplicationUsage => self.found.settings.application_usage_off = text == "no",
            At::Ha1Peer => self.found.settings.ha1_peer = kept,
            At::Ha1Address => self.found.settings.ha1_address = kept,
            At::Ha1Netmask => self.found.settings.ha1_netmask = kept,
            At::FailOpen => self.found.settings.fail_open |= is_yes,
            At::DhcpAggregateEnable if text == "no" => {
                let interface = self.dhcp_interface(1);
                self.found.settings.dhcp_aggregates.remove(&interface);
            }
            At::IkeInterface => self.found.settings.ike_interfaces.extend(kept),
            At::OspfLinkTypeText => self.found.settings.ospf_point_to_point |= text == "p2p",
            At::LogServer => self.log_server(3, kept),
            At::LogTrapManager => self.log_server(5, kept),
            At::LogUse => {
                let (place, action) = (self.place(), self.name(1));
                if let Some(profile) = kept {
                    self.found.logs.names(place, &action, profile);
                }
            }
            At::LogToPanorama => self.found.logs.to_panorama |= is_yes,
            _ => {}
        }
    }

    /// The interface that `<dhcp-client>`, `up` levels above, belongs to: `ae1`, or `ae1.100` of its units.
    fn dhcp_interface(&self, up: usize) -> String {
        match self.name(up + 1).as_str() {
            "layer3" => self.name(up + 2),
            unit => unit.to_owned(),
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .attributes()
        .take(ATTRIBUTES_MAX)
        .flatten()
        .find(|attribute| attribute.key.as_ref() == name)?;
    let raw: &str = found.value.as_ref();
    Some(quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), Into::into))
}

/// An address without user name, password and query, which can hold a token.
fn without_login(source: &str) -> String {
    let source = source.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = source.split_once("://") else {
        return source
            .rsplit_once('@')
            .map_or(source, |(_, host)| host)
            .to_owned();
    };
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (rest, String::new()),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

impl Found {
    pub(crate) fn shape(&self) -> ConfigurationShape {
        ConfigurationShape {
            bytes: self.bytes,
            version: self.version.clone(),
        }
    }

    pub(crate) fn lists(&self) -> Vec<ExternalList> {
        self.lists.values().cloned().collect()
    }

    pub(crate) fn log_targets(&self) -> LogTargets {
        self.logs.targets()
    }

    /// The certificates by place and name, as of `now`.
    pub(crate) fn certificates(&self, now: Timestamp) -> Vec<Certificate> {
        self.certificates
            .iter()
            .map(|((place, name), words)| certificate(place, name, words, now))
            .collect()
    }
}

fn certificate(place: &str, name: &str, words: &Words, now: Timestamp) -> Certificate {
    let said = match &words.pem {
        Some(pem) => certificate::read(pem),
        None => Err("the configuration holds no certificate there"),
    };
    let (said, unreadable) = match said {
        Ok(said) => (Some(said), None),
        Err(why) => (None, Some(why.to_owned())),
    };
    let told = words
        .expiry_epoch
        .and_then(|epoch| Timestamp::from_second(epoch).ok());
    let not_after = said.as_ref().map(|said| said.not_after).or(told);
    let algorithm = said.as_ref().map(|said| said.algorithm.to_owned());
    Certificate {
        place: place.to_owned(),
        name: name.to_owned(),
        subject: words.subject.clone(),
        not_after,
        expired: not_after.map(|not_after| not_after < now),
        algorithm: algorithm.or_else(|| words.algorithm.clone()),
        bits: said.as_ref().and_then(|said| said.bits),
        digest: said.as_ref().and_then(|said| said.digest).map(str::to_owned),
        authority: words.authority,
        unreadable,
    }
}

#[cfg(test)]
mod tests;
