//! How a device is set up, as far as a fleet file says so: who may ask, which licences and certificates it holds,
//! which neighbours it has. What the file leaves out comes from the seed and the model.
//!
//! Only the written form and its limits. What is made of it is under `state`.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::operation::Operation;

/// Most of anything that is counted. A reply of a hundred thousand rows shows nothing that a thousand do not.
const MOST: u32 = 5000;

/// The setup of one device. Everything may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// Administrators besides the fleet's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub administrators: Vec<Administrator>,
    /// Shared certificates, in place of the seeded ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<Vec<CertificateSpec>>,
    /// Licences, in place of the seeded ones. The support licence is told apart, below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licences: Option<Vec<LicenceSpec>>,
    /// Last day of the support licence; 2099-12-31 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_expires: Option<Date>,
    /// NTP servers; none means that the time is nobody's business. Two when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntp_servers: Option<Vec<String>>,
    /// Plugins. On a VM the VM-Series plugin when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Vec<PluginSpec>>,
    /// Virtual routers, or logical ones. `default` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_routers: Option<Vec<String>>,
    /// Whether the advanced routing engine is on. It came with 10.2 and is off when left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub advanced_routing: bool,
    /// BGP peers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_peers: Option<u32>,
    /// OSPF neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ospf_neighbours: Option<u32>,
    /// Static routes besides the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub static_routes: Option<u32>,
    /// IPsec tunnels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipsec_tunnels: Option<u32>,
    /// Sessions that a device in service carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,
    /// GlobalProtect users that are logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub globalprotect_users: Option<u32>,
    /// External dynamic lists, in place of the seeded ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_lists: Option<Vec<ListSpec>>,
    /// When dynamic updates are looked for, in place of the seeded times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_schedule: Option<Vec<ScheduleSpec>>,
    /// When logs are exported, each day. Never when left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log_exports: Vec<TimeOfDay>,
    /// Panorama servers, at most two. None when left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub panorama: Vec<Ipv4Addr>,
    /// Whether it has several virtual systems.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub multi_vsys: bool,
    /// Whether it runs in FIPS-CC mode.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fips: bool,
    /// Memory of the management plane in megabytes; the model's own when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    /// Share of that memory in use, in percent; seeded when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_used_percent: Option<u8>,
    /// Load of the management plane over a minute, in percent; seeded when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_cpu_percent: Option<u8>,
    /// Load of the dataplane cores, in percent; seeded when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataplane_cpu_percent: Option<u8>,
    /// Whether jumbo frames are on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub jumbo_frame: bool,
    /// Whether the master key was changed. It is the one from the factory when left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub custom_master_key: bool,
    /// Whether User-ID data is passed on to others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub redistribution: bool,
    /// Sensors that raise an alarm, by their description: `Fan #1 RPM`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
    /// Core files on disk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub core_files: Vec<String>,
    /// Ports of slot 1 whose optics receive hardly any light, and have a link all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dim_optics: Vec<u16>,
    /// Ports of slot 1 whose link goes down twice an hour, for some seconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flapping_ports: Vec<u16>,
    /// What the system log holds besides the links of ports. What is of a later time comes then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system_log: Vec<LoggedSpec>,
}

/// Somebody who may log in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// What the role allows.
    #[serde(default)]
    pub role: Role,
}

impl fmt::Debug for Administrator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Administrator")
            .field("user", &self.user)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What an administrator may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    #[default]
    Superuser,
    /// Everything that changes nothing.
    Superreader,
    /// The operations of a list, by name, and a key.
    Custom(BTreeSet<String>),
}

impl Role {
    pub(crate) fn allows(&self, operation: Operation) -> bool {
        match self {
            Self::Superuser => true,
            Self::Superreader => !operation.is_changing(),
            Self::Custom(names) => names.iter().any(|name| operation.is_called(name)),
        }
    }

    /// As `show admins all` has it.
    pub(crate) fn shown(&self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::Superreader => "superreader",
            Self::Custom(_) => "custom",
        }
    }
}

/// A certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSpec {
    /// Its name in the configuration.
    pub name: String,
    /// Subject; the certificate's name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// Kind and size of the key.
    #[serde(default)]
    pub key: KeyKind,
    /// Digest of the signature.
    #[serde(default)]
    pub digest: DigestKind,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

/// Kind and size of a certificate's key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyKind {
    /// RSA, 1024 bits: too short for 11.1.
    #[serde(rename = "rsa-1024")]
    Rsa1024,
    /// RSA, 2048 bits.
    #[default]
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// RSA, 4096 bits.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
    /// ECDSA on P-256.
    #[serde(rename = "ecdsa-256")]
    Ecdsa256,
    /// ECDSA on P-384.
    #[serde(rename = "ecdsa-384")]
    Ecdsa384,
}

/// Digest of a certificate's signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DigestKind {
    /// Too weak for 11.1.
    Sha1,
    /// The usual one.
    #[default]
    Sha256,
    /// A longer one.
    Sha384,
    /// A longer one still.
    Sha512,
}

/// A licence.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceSpec {
    /// What it is for, as the device names it: `Threat Prevention`.
    pub feature: String,
    /// Last day; never ends when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

/// A plugin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginSpec {
    /// Its name: `vm_series`, `dlp`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is installed, or only on disk.
    #[serde(default = "installed")]
    pub installed: bool,
}

fn installed() -> bool {
    true
}

/// An external dynamic list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSpec {
    /// Its name.
    pub name: String,
    /// How many addresses are on it.
    pub records: u32,
}

/// An entry of the system log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedSpec {
    /// When it is logged.
    pub at: Timestamp,
    /// The event: `fips-selftest-integ`, `syslog-conn-status`.
    pub event: String,
    /// How bad it is.
    #[serde(default)]
    pub severity: LogSeverity,
    /// What it says.
    pub text: String,
}

/// How bad an entry of the system log is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogSeverity {
    /// Nothing is wrong.
    #[default]
    Informational,
    /// Hardly anything.
    Low,
    /// Something.
    Medium,
    /// Something serious.
    High,
    /// The worst.
    Critical,
}

impl LogSeverity {
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// When one kind of dynamic update is looked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// `threats`, `anti-virus`, `wildfire`…, as the configuration names it.
    pub update: String,
    /// How often.
    pub every: Recurrence,
    /// At which time of day, `HH:MM`; only for days and weeks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<TimeOfDay>,
    /// On which day of a week, `sunday`…; only for weeks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
}

/// How often dynamic updates are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recurrence {
    /// Not by itself.
    None,
    /// As it comes, for WildFire.
    RealTime,
    /// Every minute.
    EveryMin,
    /// Every quarter of an hour.
    #[serde(rename = "every-15-mins")]
    Every15Mins,
    /// Every half hour.
    #[serde(rename = "every-30-mins")]
    Every30Mins,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
}

impl Recurrence {
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RealTime => "real-time",
            Self::EveryMin => "every-min",
            Self::Every15Mins => "every-15-mins",
            Self::Every30Mins => "every-30-mins",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }
}

/// A time of day, written `03:05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = |part: &str, most: u8| part.parse::<u8>().ok().filter(|value| *value <= most);
        text.split_once(':')
            .and_then(|(hour, minute)| {
                Some(Self {
                    hour: read(hour, 23)?,
                    minute: read(minute, 59)?,
                })
            })
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a time of day (03:05)")))
    }
}

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

impl Setup {
    /// What is wrong with it, if anything.
    pub(crate) fn complaint(&self) -> Option<String> {
        self.administrator_complaint()
            .or_else(|| self.count_complaint())
            .or_else(|| self.schedule_complaint())
    }

    fn administrator_complaint(&self) -> Option<String> {
        let mut users = BTreeSet::new();
        for administrator in &self.administrators {
            let user = &administrator.user;
            if user.is_empty() || !users.insert(user) {
                return Some(format!(
                    "the administrator `{user}` has no name, or one that is taken"
                ));
            }
            if let Role::Custom(names) = &administrator.role
                && let Some(stranger) = names
                    .iter()
                    .find(|name| !Operation::names().any(|known| known == name.as_str()))
            {
                return Some(format!("the role of {user}: `{stranger}` is no operation"));
            }
        }
        let certificates = self.certificates.iter().flatten();
        let mut names = BTreeSet::new();
        certificates
            .map(|certificate| &certificate.name)
            .find(|name| name.is_empty() || !names.insert(*name))
            .map(|name| format!("the certificate `{name}` has no name, or one that is taken"))
    }

    fn count_complaint(&self) -> Option<String> {
        let counts = [
            ("bgp_peers", self.bgp_peers),
            ("ospf_neighbours", self.ospf_neighbours),
            ("static_routes", self.static_routes),
            ("ipsec_tunnels", self.ipsec_tunnels),
            ("globalprotect_users", self.globalprotect_users),
        ];
        let high = counts
            .into_iter()
            .find(|(_, count)| count.is_some_and(|count| count > MOST));
        let percents = [
            ("memory_used_percent", self.memory_used_percent),
            ("management_cpu_percent", self.management_cpu_percent),
            ("dataplane_cpu_percent", self.dataplane_cpu_percent),
        ];
        let over = percents
            .into_iter()
            .find(|(_, percent)| percent.is_some_and(|percent| percent > 100));
        let routers = self.virtual_routers.as_ref().is_some_and(Vec::is_empty);
        high.map(|(name, _)| format!("{name}: at most {MOST}"))
            .or(over.map(|(name, _)| format!("{name}: at most 100")))
            .or((self.panorama.len() > 2).then(|| "panorama: at most two servers".to_owned()))
            .or(routers.then(|| "virtual_routers: at least one".to_owned()))
    }

    fn schedule_complaint(&self) -> Option<String> {
        self.update_schedule.iter().flatten().find_map(|schedule| {
            let update = &schedule.update;
            match (&schedule.day, schedule.every) {
                (Some(day), _) if !DAYS.contains(&day.as_str()) => {
                    Some(format!("update_schedule {update}: `{day}` is no day of the week"))
                }
                (None, Recurrence::Weekly) => Some(format!("update_schedule {update}: weekly needs a day")),
                _ if schedule.at.is_none()
                    && matches!(schedule.every, Recurrence::Weekly | Recurrence::Daily) =>
                {
                    Some(format!("update_schedule {update}: `at` is missing"))
                }
                _ => None,
            }
        })
    }
}
