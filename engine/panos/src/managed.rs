//! Asks a Panorama which firewalls it manages, and reads `show devices all`, `show devices connected` and `show devicegroups`.
//! Knows these replies; must not know inventories, nor what is done with a firewall that is away.

use std::collections::BTreeMap;

use hopgate_paths::Version;

use crate::client::Client;
use crate::error::{CallError, Failure};
use crate::operation::Operation;
use crate::xml::{Node, Raw, printable, read_rows};

/// How much of a value is kept.
const WORDS: usize = 200;

/// Which firewalls of a Panorama.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// Those that are connected now.
    Connected,
    /// All that it manages.
    All,
}

/// A firewall as its Panorama lists it: what it heard last, where the firewall is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedDevice {
    /// Its serial number.
    pub serial: String,
    /// The configured name; none where the firewall never connected.
    pub hostname: Option<String>,
    /// Its IPv4 management address.
    pub address: Option<String>,
    /// Its IPv6 management address, without a prefix length.
    pub address_v6: Option<String>,
    /// `PA-850`, `PA-VM`.
    pub model: Option<String>,
    /// The release it runs, where it can be read.
    pub version: Option<Version>,
    /// Whether it is connected now.
    pub connected: bool,
    /// Its state in its HA pair, in the device's words: `active`, `passive`.
    pub ha_state: Option<String>,
    /// The serial number of the other member.
    pub peer_serial: Option<String>,
    /// The template or template stack, where the reply names one.
    pub template: Option<String>,
    /// Tags, where the reply has them.
    pub tags: Vec<String>,
}

impl Client {
    /// The firewalls of a Panorama, in its order.
    ///
    /// # Errors
    /// [`CallError`]; `Rejected` where the device is no Panorama, `Unreadable` where an entry has no serial number or does
    /// not say whether it is connected.
    pub async fn managed_devices(&self, which: Managed) -> Result<Vec<ManagedDevice>, CallError> {
        let (typed, cmd) = match which {
            Managed::Connected => (
                "show devices connected",
                "<show><devices><connected/></devices></show>",
            ),
            Managed::All => ("show devices all", "<show><devices><all/></devices></show>"),
        };
        let call = self.prepare(Operation::Read(typed)).await?;
        let reply = call.send(&[("type", "op"), ("cmd", cmd)]).await?;
        call.understand_raw(&reply, devices)
    }

    /// The device groups of a Panorama: each firewall's, by serial number. One that is in none is not there.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn device_groups(&self) -> Result<BTreeMap<String, String>, CallError> {
        let call = self.prepare(Operation::Read("show devicegroups")).await?;
        let cmd = "<show><devicegroups/></show>";
        let reply = call.send(&[("type", "op"), ("cmd", cmd)]).await?;
        call.understand_raw(&reply, groups)
    }
}

/// `<devices><entry name="SERIAL">..`. A Panorama of thousands of firewalls answers with some megabytes: each is read by
/// itself.
fn devices(reply: Raw<'_>) -> Result<Vec<ManagedDevice>, Failure> {
    let (result, devices) = read_rows(reply, &["devices", "entry"], |_, entry| device(entry))?;
    // Without any firewall there is an empty element; without the element this is another reply.
    if result.child("devices").is_none() && devices.is_empty() {
        return Err(Failure::unreadable("<result> has no <devices>"));
    }
    Ok(devices)
}

fn device(entry: &Node) -> Result<ManagedDevice, Failure> {
    // `unknown` stands for an address that there is not.
    let address = |name: &str| {
        let text = entry.words(name)?;
        let text = text.split('/').next().unwrap_or_default().to_owned();
        (text != "unknown" && text != "none").then_some(text)
    };
    let connected = entry.yes("connected").ok_or_else(|| {
        Failure::unreadable("an <entry> of <devices> does not say whether it is <connected>")
    })?;
    let tags = entry.child("tags").into_iter();
    let tags = tags.flat_map(|tags| tags.children_named("member"));
    Ok(ManagedDevice {
        serial: serial(entry)?,
        hostname: entry.words("hostname"),
        address: address("ip-address"),
        address_v6: address("ipv6-address"),
        model: entry.words("model"),
        version: entry.value("sw-version").and_then(|text| text.parse().ok()),
        connected,
        ha_state: entry.child("ha").and_then(|ha| ha.words("state")),
        peer_serial: entry.at(&["ha", "peer"]).and_then(|peer| peer.words("serial")),
        template: entry.words("template-stack").or_else(|| entry.words("template")),
        tags: tags.map(|tag| printable(tag.text(), WORDS)).collect(),
    })
}

/// In an element, or in the name of the entry alone.
fn serial(entry: &Node) -> Result<String, Failure> {
    let named = || {
        entry
            .attribute("name")
            .map(str::trim)
            .filter(|name| !name.is_empty())
    };
    entry
        .value("serial")
        .or_else(named)
        .map(|serial| printable(serial, WORDS))
        .ok_or_else(|| Failure::unreadable("an <entry> of <devices> has no <serial>"))
}

/// `<devicegroups><entry name="GROUP"><devices><entry name="SERIAL">..`.
fn groups(reply: Raw<'_>) -> Result<BTreeMap<String, String>, Failure> {
    let path = ["devicegroups", "entry", "devices", "entry"];
    let (result, rows) = read_rows(reply, &path, |around, entry| {
        let group = around.iter().rev().find(|node| node.name == "entry");
        let group = group
            .and_then(|group| group.attribute("name"))
            .ok_or_else(|| Failure::unreadable("a device group has no name"))?;
        Ok((serial(entry)?, printable(group, WORDS)))
    })?;
    if result.child("devicegroups").is_none() && rows.is_empty() {
        return Err(Failure::unreadable("<result> has no <devicegroups>"));
    }
    Ok(rows.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::scripted::{Scripted, golden, lines, reply};
    use crate::secret::{Credentials, Secret};
    use crate::xml::tests::damaged;

    fn raw(body: &[u8]) -> Raw<'_> {
        Raw {
            status: 200,
            content_type: Some("application/xml"),
            body,
        }
    }

    #[test]
    fn every_firewall_is_read_with_what_its_panorama_knows() {
        let listed = devices(raw(&golden("panorama-devices-10.2.xml"))).unwrap();
        insta::assert_snapshot!(lines(&listed), @r#"
        ManagedDevice { serial: "001801000001", hostname: Some("vie-edge1"), address: Some("192.0.2.11"), address_v6: None, model: Some("PA-850"), version: Some(Version { train: Train { major: 10, minor: 1 }, maintenance: 14, suffix: Hotfix(9), extended: false }), connected: true, ha_state: None, peer_serial: None, template: None, tags: ["gold", "site=vienna"] }
        ManagedDevice { serial: "001801000002", hostname: Some("lnz-core-a"), address: Some("192.0.2.21"), address_v6: Some("2001:db8::21"), model: Some("PA-3220"), version: Some(Version { train: Train { major: 10, minor: 1 }, maintenance: 14, suffix: Hotfix(9), extended: false }), connected: true, ha_state: Some("active"), peer_serial: Some("001801000003"), template: None, tags: [] }
        ManagedDevice { serial: "001801000003", hostname: Some("lnz-core-b"), address: None, address_v6: Some("2001:db8::22"), model: Some("PA-3220"), version: Some(Version { train: Train { major: 10, minor: 1 }, maintenance: 14, suffix: Hotfix(9), extended: false }), connected: true, ha_state: Some("passive"), peer_serial: Some("001801000002"), template: None, tags: [] }
        ManagedDevice { serial: "001801000004", hostname: Some("gra-edge1"), address: Some("192.0.2.31"), address_v6: None, model: Some("PA-440"), version: None, connected: false, ha_state: None, peer_serial: None, template: Some("branches"), tags: [] }
        ManagedDevice { serial: "001801000005", hostname: None, address: None, address_v6: None, model: None, version: None, connected: false, ha_state: None, peer_serial: None, template: None, tags: [] }
        "#);
        assert_eq!(devices(raw(&golden("panorama-devices-none.xml"))), Ok(Vec::new()));
    }

    #[test]
    fn every_firewall_has_the_group_that_it_is_in() {
        let groups = groups(raw(&golden("panorama-devicegroups-10.2.xml"))).unwrap();
        insta::assert_snapshot!(format!("{groups:?}"), @r#"{"001801000001": "vienna", "001801000002": "linz", "001801000003": "linz"}"#);
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        let told = |inner: &str| {
            let body = format!("<response status='success'><result>{inner}</result></response>");
            devices(raw(body.as_bytes())).unwrap_err().to_string()
        };
        let table = [
            told(""),
            told("<devices><entry><connected>yes</connected></entry></devices>"),
            told("<devices><entry name='0011'/></devices>"),
            told("<devices><entry name='0011'><connected>maybe</connected></entry></devices>"),
        ];
        insta::assert_snapshot!(table.join("\n"), @r"
        the reply cannot be understood: <result> has no <devices>
        the reply cannot be understood: an <entry> of <devices> has no <serial>
        the reply cannot be understood: an <entry> of <devices> does not say whether it is <connected>
        the reply cannot be understood: an <entry> of <devices> does not say whether it is <connected>
        ");
    }

    #[tokio::test]
    async fn a_panorama_is_asked_with_its_own_words() {
        let transport = Arc::new(Scripted::new(|seen| {
            let cmd = seen.field("cmd").unwrap_or_default();
            reply(
                200,
                golden(if cmd.contains("devicegroups") {
                    "panorama-devicegroups-10.2.xml"
                } else {
                    "panorama-devices-10.2.xml"
                }),
            )
        }));
        let key = Credentials::Key(Secret::new("KEY"));
        let client = Client::new("pan-vie".into(), Arc::clone(&transport) as _, key);
        assert_eq!(client.managed_devices(Managed::All).await.unwrap().len(), 5);
        client.managed_devices(Managed::Connected).await.unwrap();
        client.device_groups().await.unwrap();
        let sent: Vec<String> = transport
            .seen()
            .iter()
            .filter_map(|seen| seen.field("cmd"))
            .collect();
        assert_eq!(
            sent,
            [
                "<show><devices><all/></devices></show>",
                "<show><devices><connected/></devices></show>",
                "<show><devicegroups/></show>",
            ]
        );
    }

    proptest! {
        #[test]
        fn damage_makes_it_fail_or_tell_less_and_never_panic(body in damaged()) {
            let _ = groups(raw(&body));
            if let Ok(listed) = devices(raw(&body)) {
                for device in listed {
                    prop_assert!(!device.serial.is_empty() && device.serial.chars().count() <= WORDS + 1);
                }
            }
        }
    }
}
