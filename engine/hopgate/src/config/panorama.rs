//! The panorama file: which Panoramas are asked for the firewalls they manage, and how these are reached themselves.
//!
//! Only reads and checks what a person wrote; what the Panoramas answer becomes an inventory elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use hopgate_core::names::DeviceId;
use hopgate_panos::Fingerprint;
use serde::Deserialize;

use super::credentials::CredentialsRef;
use super::inventory::{Defaults, Entry, Inventory, TrustRef};
use super::selector::Groups;
use super::{ConfigError, meaning};

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanoramaFile {
    /// The Panoramas. Of a firewall that two of them manage, the first that is connected to it tells.
    pub panoramas: Vec<PanoramaText>,
    /// Groups of their firewalls. Which labels those have is known once the Panoramas have said it.
    #[serde(default)]
    pub groups: Groups,
    /// How their firewalls are reached.
    pub devices: FirewallsText,
}

/// One Panorama.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanoramaText {
    /// Its name; the label `panorama` of its firewalls.
    pub name: DeviceId,
    /// Host and port of its management interface; 443 where the port is left out.
    pub address: String,
    /// How to log in to it.
    pub credentials: CredentialsRef,
    /// Whom to trust for it.
    #[serde(default)]
    pub trust: Option<TrustRef>,
    /// Labels that every one of its firewalls gets.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// What holds for every firewall.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirewallsText {
    /// How to log in to them.
    pub credentials: CredentialsRef,
    /// Whom to trust for them.
    #[serde(default)]
    pub trust: Option<TrustRef>,
    /// The port of their management interfaces, which a Panorama does not know; 443 where it is left out.
    #[serde(default)]
    pub port: Option<u16>,
}

impl PanoramaFile {
    /// Reads and checks the file.
    pub fn load(path: &Path) -> Result<PanoramaFile, ConfigError> {
        super::read(path, |file: &PanoramaFile| file.check(path))
    }

    /// The Panoramas as devices to connect to.
    pub fn themselves(&self) -> Inventory {
        let entry = |panorama: &PanoramaText| Entry {
            name: panorama.name.clone(),
            address: panorama.address.clone(),
            serial: None,
            peer: None,
            labels: BTreeMap::new(),
            credentials: Some(panorama.credentials.clone()),
            trust: panorama.trust.clone(),
        };
        Inventory {
            simulated_clock: None,
            defaults: Defaults::default(),
            groups: Groups::default(),
            devices: self.panoramas.iter().map(entry).collect(),
        }
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        if self.panoramas.is_empty() {
            return Err(meaning(path, "panoramas", "name at least one Panorama"));
        }
        for (index, panorama) in self.panoramas.iter().enumerate() {
            let key = |field: &str| format!("panoramas[{index}].{field}");
            let earlier = self.panoramas.get(..index).unwrap_or_default();
            if earlier.iter().any(|earlier| earlier.name == panorama.name) {
                let text = format!("{} is listed twice", panorama.name);
                return Err(meaning(path, key("name"), text));
            }
            if panorama.address.is_empty() {
                return Err(meaning(path, key("address"), "is empty"));
            }
            check_trust(path, &key("trust.fingerprint"), panorama.trust.as_ref())?;
        }
        self.groups.check(path)?;
        check_trust(path, "devices.trust.fingerprint", self.devices.trust.as_ref())
    }
}

fn check_trust(path: &Path, key: &str, trust: Option<&TrustRef>) -> Result<(), ConfigError> {
    match trust {
        Some(TrustRef::Fingerprint(text)) => match text.parse::<Fingerprint>() {
            Ok(_) => Ok(()),
            Err(error) => Err(meaning(path, key, error.to_string())),
        },
        Some(TrustRef::Authority(_) | TrustRef::FirstUse | TrustRef::None) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
panoramas:
  - name: pan-vie
    address: 192.0.2.5
    credentials: {user: svc, password_from: {env: PAN}}
    labels: {customer: acme}
devices:
  credentials: {user: svc, password_from: {env: PW}}
";

    fn refused(from: &str, to: &str) -> String {
        let path = Path::new("panorama.yaml");
        let text = GOOD.replacen(from, to, 1);
        let parsed = super::super::parse::<PanoramaFile>(path, &text)
            .and_then(|file| file.check(path))
            .map_err(|error| error.located_in(&text));
        parsed.unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        insta::assert_snapshot!(refused("address:", "adress:"), @"panorama.yaml:3:5: unknown field `adress`, expected one of name, address, credentials, trust, labels");
        insta::assert_snapshot!(refused("    address: 192.0.2.5\n", ""), @"panorama.yaml:4:5: missing field `address`");
        insta::assert_snapshot!(refused("192.0.2.5", "''"), @"panorama.yaml:3: panoramas[0].address: is empty");
        insta::assert_snapshot!(refused("devices:\n  credentials", "firewalls:\n  credentials"), @"panorama.yaml:6:1: unknown field `firewalls`, expected one of panoramas, groups, devices");
        insta::assert_snapshot!(refused("    labels:", "    trust: {fingerprint: 12}\n    labels:"), @r#"panorama.yaml:5: panoramas[0].trust.fingerprint: "12" is not a certificate fingerprint: write SHA256: and 32 pairs of hexadecimal digits with colons between"#);
        insta::assert_snapshot!(refused("password_from: {env: PAN}", "password: secret"), @"panorama.yaml:4:30: unknown field `password`, expected one of user, password_from, key_from");
        let devices = "devices:\n  credentials";
        insta::assert_snapshot!(refused(devices, &format!("groups: {{a: connected=yes, b: [a, '!c']}}\n{devices}")), @"panorama.yaml:6: groups.b: the selector asks for the group c, which the inventory does not have (nearest: a, b)");
        insta::assert_snapshot!(refused(devices, &format!("groups:\n  a: connected=yes\n  b: b\n{devices}")), @"panorama.yaml:8: groups.b: the group b is made of itself");
        let again = "devices:\n  credentials";
        let twice =
            format!("  - {{name: pan-vie, address: b, credentials: {{key_from: {{env: K}}}}}}\n{again}");
        insta::assert_snapshot!(refused(again, &twice), @"panorama.yaml:6: panoramas[1].name: pan-vie is listed twice");
    }
}
