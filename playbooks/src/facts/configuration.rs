//! What a configuration says that an upgrade can trip over: locks, certificates, schedules, lists, features.
//! Knows the shapes; a private key, a password hash or any other secret of a configuration has no room in them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::Fact;

/// One lock, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLock {
    /// What it keeps others from.
    pub kind: LockKind,
    /// The administrator who took it, where the device says.
    pub holder: Option<String>,
    /// What it covers: `shared`, `vsys1`.
    pub scope: Option<String>,
    /// When it was taken, by the device's clock and in its zone.
    pub since: Option<DateTime>,
    /// What the holder wrote.
    pub comment: Option<String>,
}

/// What a lock keeps others from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// Changing the configuration.
    Configuration,
    /// Committing it.
    Commit,
}

/// One certificate of the running configuration. It is identified by place and name. What is in it is read from the
/// certificate itself, and from the configuration's words about it only where that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Where it is: `shared`, `vsys1`, `template`.
    pub place: String,
    /// Its name.
    pub name: String,
    /// Whom it names.
    pub subject: Option<String>,
    /// The instant after which it is not valid; none where that cannot be read.
    pub not_after: Option<Timestamp>,
    /// Whether that instant had passed when the facts were read; none where it cannot be told.
    pub expired: Option<bool>,
    /// `RSA`, `EC`.
    pub algorithm: Option<String>,
    /// The size of the key, in bits.
    pub bits: Option<u32>,
    /// The digest that it is signed with: `sha256`.
    pub digest: Option<String>,
    /// Whether it signs others.
    pub authority: bool,
    /// Why the certificate itself could not be read, where it could not.
    pub unreadable: Option<String>,
}

/// The certificate that the management address shows, whether or not the configuration holds it: a firewall without one of its
/// own shows the one that it was made with. All but the fingerprint is what the certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagementCertificate {
    /// SHA-256 over it, as an inventory pins it: `SHA256:` and 32 pairs of digits with colons between.
    pub fingerprint: String,
    /// Whom it names, as a configuration writes it: `/O=Example/CN=fw1`.
    pub subject: Option<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// Whether it names itself as its issuer; none where it cannot be read.
    pub self_signed: Option<bool>,
    /// The instant from which it is valid; none where that cannot be read.
    pub not_before: Option<Timestamp>,
    /// The instant after which it is not valid; none where that cannot be read.
    pub not_after: Option<Timestamp>,
    /// Whether that instant had passed when the facts were read; none where it cannot be told.
    pub expired: Option<bool>,
    /// `RSA`, `EC`.
    pub algorithm: Option<String>,
    /// The size of the key, in bits.
    pub bits: Option<u32>,
    /// The digest that it is signed with: `sha256`.
    pub digest: Option<String>,
    /// Why it could not be read, where it could not.
    pub unreadable: Option<String>,
}

/// The running configuration as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationShape {
    /// Its size in bytes, as XML.
    pub bytes: u64,
    /// The feature release it is written for: `10.1.0`.
    pub version: Option<String>,
}

/// When one kind of content is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateSchedule {
    /// `threats`, `anti-virus`, `wildfire`.
    pub content: String,
    /// `none`, `real-time`, `every-15-mins`, `hourly`, `daily`, `weekly`.
    pub every: String,
    /// The time of day (`01:02`) or the minutes past (`15`), where there is one.
    pub at: Option<String>,
    /// The day, for weekly ones.
    pub day: Option<String>,
    /// `download-only`, `download-and-install`.
    pub action: Option<String>,
    /// The Panorama template it comes from, where it comes from one.
    pub template: Option<String>,
}

/// Something that the device does by itself at times that are configured, content aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledJob {
    /// `log-export`, `list-refresh`, `reports`, `report-mail`, `integrity-test`.
    pub kind: String,
    /// Where it is configured: `shared`, `vsys1`; none for what the device has once.
    pub place: Option<String>,
    /// Its name there.
    pub name: Option<String>,
    /// `none`, `five-minute`, `hourly`, `daily`, `weekly`, `monthly`; `not-told` where the device does not say whether it is on.
    pub every: String,
    /// The time of day by the device's clock (`01:02`), where there is one.
    pub at: Option<String>,
    /// The day of the week, or of the month.
    pub day: Option<String>,
    /// The Panorama template it comes from, where that is told.
    pub template: Option<String>,
}

/// One external dynamic list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalList {
    /// Where it is: `shared`, `vsys1`.
    pub place: String,
    /// Its name.
    pub name: String,
    /// `ip`, `domain`, `url`, `predefined-ip`.
    pub kind: Option<String>,
    /// Where it is fetched, without user name, password and query.
    pub source: Option<String>,
    /// The profile that its server's certificate is checked with.
    pub certificate_profile: Option<String>,
    /// Whether it is fetched with a user name and password.
    pub authenticated: bool,
    /// How often: `five-minute`, `hourly`, `daily`, `weekly`, `monthly`.
    pub every: Option<String>,
    /// The hour of the day at which (`03`), where there is one.
    #[serde(default)]
    pub at: Option<String>,
    /// The day of the week, or of the month, on which.
    #[serde(default)]
    pub day: Option<String>,
}

/// What is on one external dynamic list, as the device has it. It is identified by place and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListContent {
    /// Where the list is: `shared`, `vsys1`.
    pub place: String,
    /// Its name.
    pub name: String,
    /// `ip`, `domain`, `url`, `predefined-ip`.
    pub kind: Option<String>,
    /// How many entries are in force; none where the device did not say.
    pub records: Option<u64>,
    /// How many were not understood.
    pub invalid: Option<u64>,
    /// How many were left out, as those are that there was no room for.
    pub ignored: Option<u64>,
    /// Why it is not known what is on it, where that is so.
    pub unreadable: Option<String>,
}

/// How many entries of one kind all lists together may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListCapacity {
    /// `ip`, `domain`, `url`.
    pub kind: String,
    /// How many there are.
    pub used: Option<u64>,
    /// How many there may be.
    pub most: Option<u64>,
}

/// What a device uses of PAN-OS: the answers that advisories ask for, under the names of their vocabulary.
///
/// Every name of the vocabulary is there, known or unknown with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Yes or no.
    pub flags: BTreeMap<String, Fact<bool>>,
    /// Numbers; the unit is in the name.
    pub numbers: BTreeMap<String, Fact<u64>>,
}

/// Where logs go, as far as the device's own configuration says so. What a Panorama pushes may not be in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTargets {
    /// The server profiles, and those that are named and are not there.
    pub profiles: Vec<LogTarget>,
    /// Whether any match list sends logs to Panorama.
    pub to_panorama: bool,
}

/// One server profile. It is identified by its place, kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogTarget {
    /// `shared`, or the virtual system.
    pub place: String,
    /// `syslog`, `http`, `snmptrap`, `email`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The addresses or names of its servers; none where only its name is in the configuration.
    pub servers: Vec<String>,
    /// Whether any match list names it: of the device's own logs, or of a log forwarding profile, which rules may name or not.
    pub used: bool,
}

/// The portals and gateways of GlobalProtect that the device's own configuration has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalProtect {
    /// Where users fetch their settings.
    pub portals: Vec<GlobalProtectService>,
    /// Where their tunnels end.
    pub gateways: Vec<GlobalProtectService>,
}

/// One portal or gateway. It is identified by its place and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GlobalProtectService {
    /// The virtual system.
    pub place: String,
    /// Its name.
    pub name: String,
}
