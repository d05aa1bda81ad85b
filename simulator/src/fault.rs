//! Faults as data: when a device falls ill, how, and what ends it.
//!
//! A rule says nothing of how its effect plays out in time; `boot.rs`, `staging.rs` and `ailments.rs` do that.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::area::{Area, Return};
use crate::pair::HaState;
use crate::release::Version;
use crate::software::Mount;

/// One fault: where it comes from, when it applies, what it does, what ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Name of the rule, as a fleet file selects it.
    pub id: String,
    /// Which entry of the list of known faults it is, such as `F1`; absent for what the list does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Where the fault is known from: a vendor defect id or a document.
    pub source: String,
    /// When it applies. An empty condition applies to every device.
    #[serde(default)]
    pub when: Condition,
    /// What happens then.
    pub effect: Effect,
    /// What ends it, besides the intervention `cure`, which ends every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cure: Vec<Cure>,
}

/// All parts that are given have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Device names; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Models; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Half-open version ranges, one or more a train; empty means all. Judged on the version that boots, or that
    /// is being installed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionRange>,
    /// Ranges for the version that ran before an install brought up the one that `versions` is judged on. A system
    /// that came back by `debug swm revert` has left nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<VersionRange>,
    /// Only the first boots of a system that was installed; the next one is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_boots: Option<u32>,
    /// Optics that trigger the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optics: Option<OpticCondition>,
    /// Facts of the device's configuration and surroundings, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// Content whose first number is lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_before: Option<u32>,
    /// From this simulated instant on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// HA states that the device is in; empty means any, and none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ha: Vec<HaState>,
    /// Only a member of a pair whose other member runs another version.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub peer_differs: bool,
    /// Of a hundred devices for which all the rest holds, so many; which ones, the seed decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chance_percent: Option<u8>,
}

/// A fact about a device that a defect hangs on. It does nothing by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// An external dynamic list over HTTPS without a certificate profile.
    EdlWithoutCertificateProfile,
    /// An OSPF interface of type point-to-point.
    OspfPointToPoint,
    /// Keys in a hardware security module.
    Hsm,
    /// Behind an AWS gateway load balancer.
    AwsGwlb,
    /// User-ID with many mappings.
    UserId,
    /// More than one virtual system.
    MultiVsys,
    /// Managed by a Panorama.
    PanoramaManaged,
    /// Panorama runs an older release than the firewall is going to.
    PanoramaOlder,
    /// FIPS-CC mode.
    FipsCc,
    /// Administrators are authenticated by a server elsewhere, which locks accounts.
    ExternalAuthentication,
    /// IKE on an aggregate interface with a DHCP address.
    IkeOnAggregateDhcp,
    /// An imported certificate that is larger than a buffer.
    LargeCertificate,
    /// A captive portal's SSL/TLS service profile without a highest version.
    SslProfileWithoutMaxVersion,
    /// The HA1 addresses of the two members are in different subnets.
    Ha1InOtherSubnet,
    /// The HA2 link is down, or plugins differ between the members.
    Ha2Incomplete,
    /// A VM-Series licence of another size than the peer's.
    LicenceMismatch,
    /// Forward error correction is off on a 25G port.
    FecOff,
}

/// `from <= version < before`; either end may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRange {
    /// First version in the range.
    #[serde(default)]
    pub from: Option<Version>,
    /// First version after the range.
    #[serde(default)]
    pub before: Option<Version>,
}

/// Holds while one of the ports has an optic whose part number starts with none of the allowed prefixes, or, where
/// parts are named, is one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpticCondition {
    /// Ports to look at; empty means all.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Part-number prefixes that do no harm.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// Part numbers that do harm; empty means all that are not allowed.
    #[serde(default)]
    pub parts: Vec<String>,
}

/// What ends a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cure {
    /// Another optic in the cage, or none.
    Optic,
    /// Time.
    Wait,
    /// A restart.
    Reboot,
    /// The same request again.
    Repeat,
    /// A release that has the fix.
    Upgrade,
    /// The same release on the other member.
    UpgradePeer,
    /// The system on the other partition.
    Revert,
    /// Newer content.
    Content,
    /// The base image on disk, and the download again.
    BaseImage,
    /// Room on the disk.
    Disk,
    /// Somebody at the console, or with the configuration.
    Person,
}

/// What a fault does to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The boot comes as far as `at`, stays there, and the device goes down again.
    BootLoop {
        /// The phase each cycle ends in. At R6 the API answers, with a small uptime.
        at: BootPhase,
        /// Seconds in that phase, spread by 15 %.
        up_seconds: u32,
        /// How many cycles before a boot completes; absent means as long as the condition holds.
        #[serde(default)]
        cycles: Option<u32>,
    },
    /// The boot comes as far as `at` and stays there for good.
    NeverReturns {
        /// The phase the boot ends in; R2 is dark, R3 looks like maintenance mode.
        at: BootPhase,
    },
    /// The boot ends in the maintenance recovery tool: ICMP and SSH answer, 443 refuses.
    MaintenanceMode {},
    /// A phase of a boot takes longer.
    SlowPhase {
        /// The phase.
        at: BootPhase,
        /// Seconds on top, spread by 15 %.
        seconds: u32,
    },
    /// A boot checks the file systems first, once so many boots were made, or so many days passed, since the last
    /// check.
    FileSystemCheck {
        /// Boots.
        after_boots: u32,
        /// Days.
        after_days: u32,
        /// Seconds it stays dark for it, spread by 15 %.
        seconds: u32,
    },
    /// The boot finds the counter of ungraceful shutdowns here. At 32 and more a device with a TPM stays dark until
    /// it has fallen, by one in two hours.
    TpmLockout {
        /// The counter.
        ungraceful_shutdowns: u32,
    },
    /// Goes down by itself again and again, once it is in service.
    RebootsEvery {
        /// Minutes in service each time, spread by 15 %.
        minutes: u32,
        /// How often altogether; absent means as long as the condition holds.
        #[serde(default)]
        times: Option<u32>,
    },
    /// The dataplane restarts by itself; the management plane stays.
    DataplaneRestarts {
        /// Minutes between the restarts, spread by 15 %.
        minutes: u32,
        /// Seconds the dataplane is away each time, spread by 15 %.
        seconds: u32,
        /// How often altogether; absent means as long as the condition holds.
        #[serde(default)]
        times: Option<u32>,
    },
    /// The first auto-commits after a boot end FIN/FAIL. After the fourth the device gives up.
    AutoCommitFails {
        /// How many fail.
        times: u32,
        /// What the job says, in place of the usual lines.
        #[serde(default)]
        lines: Vec<String>,
        /// Giving up means maintenance mode.
        #[serde(default)]
        then_maintenance_mode: bool,
    },
    /// The auto-commit job stays at a percentage.
    AutoCommitStuck {
        /// The percentage.
        at_percent: u8,
    },
    /// No auto-commit job appears and the dataplane stays down.
    NoAutoCommitJob {},
    /// Other jobs fill the history of about 29, until the auto-commit has scrolled off.
    JobHistory {
        /// Minutes between two such jobs.
        every_minutes: u32,
        /// They are `Failed-Job` entries without an id.
        #[serde(default)]
        without_id: bool,
    },
    /// No login works before the auto-commit has ended.
    LoginWaits {},
    /// The account is locked after refused password logins, those of a boot included. A key works on.
    AccountLocks {
        /// How many in a row.
        after_failures: u32,
        /// Minutes it stays locked.
        minutes: u32,
    },
    /// The management plane runs out of memory under many requests, until it is restarted.
    ManagementStarves {
        /// Requests since the boot from which on it shows.
        after_requests: u64,
        /// Seconds that each reply takes longer.
        delay_seconds: u32,
        /// Of a hundred requests so many are answered with 503.
        unavailable_percent: u8,
        /// The device leaves HA over it.
        #[serde(default)]
        leaves_ha: bool,
    },
    /// The update server cannot be used.
    UpdateServer {
        /// Why.
        gives: UpdateServer,
    },
    /// Downloads end FIN/FAIL when the image loads into the software manager.
    DownloadFails {
        /// The detail line.
        text: String,
        /// How often, for each version; absent means always.
        #[serde(default)]
        times: Option<u32>,
    },
    /// Downloads stand at 0 % after they first came to 99.
    DownloadStalls {
        /// Minutes until the job ends FIN/FAIL; absent means never.
        #[serde(default)]
        gives_up_after_minutes: Option<u32>,
    },
    /// The software manager turns jobs away for a while.
    SoftwareManagerBusy {
        /// Seconds after the device came into service.
        after_boot_seconds: u32,
        /// Seconds after an image was loaded.
        after_load_seconds: u32,
    },
    /// The base image of the running train is not on disk.
    BaseImageLost {},
    /// Install jobs end FIN/FAIL.
    InstallFails {
        /// The detail line.
        text: String,
        /// How often, for each version; absent means always.
        #[serde(default)]
        times: Option<u32>,
    },
    /// The device asks for newer content than the release notes do.
    ContentMinimum {
        /// First number of the lowest content it takes.
        first: u32,
    },
    /// Content install jobs end FIN/FAIL.
    ContentInstallFails {
        /// The detail line.
        text: String,
    },
    /// The device's clock is wrong. From a day on, images cannot be verified.
    ClockOff {
        /// Seconds that it is fast, or slow where negative.
        seconds: i64,
    },
    /// A partition fills.
    DiskFills {
        /// Which.
        mount: Mount,
        /// Minutes in service until it is full.
        after_minutes: u32,
        /// The device leaves HA over it.
        #[serde(default)]
        leaves_ha: bool,
    },
    /// A part of the state comes back late, or never.
    Returns {
        /// Which part.
        area: Area,
        /// When.
        how: Return,
        /// After a takeover of the active role as well.
        #[serde(default)]
        on_takeover: bool,
    },
    /// HA does not come together.
    Ha {
        /// How.
        fails: HaFailure,
    },
}

/// What is wrong with the update server, as a device sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateServer {
    /// It cannot be reached.
    Unreachable,
    /// The support licence has run out: nothing new is listed, nothing can be downloaded.
    NotEntitled,
}

/// How HA fails to come together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaFailure {
    /// Stays `initial` for so many seconds after a boot.
    StaysInitial(u32),
    /// Is `non-functional`, with this reason.
    NonFunctional(String),
    /// The HA1 link does not come up.
    Ha1Down,
    /// The HA2 link does not come up: no session synchronisation, up to an hour in `initial`.
    Ha2Down,
}

/// A phase of a boot that a fault can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BootPhase {
    /// Dark: nothing answers.
    R2,
    /// The management plane is up, its web server is not: connections are refused.
    R3,
    /// A good key is answered with 403.
    R4,
    /// 503 while services start.
    R5,
    /// The API answers, the auto-commit runs.
    R6,
}

const LIBRARY: [&str; 59] = [
    include_str!("../faults/optics-boot-loop.yaml"),
    include_str!("../faults/optics-restart.yaml"),
    include_str!("../faults/dataplane-loop.yaml"),
    include_str!("../faults/reboots-every-few-hours.yaml"),
    include_str!("../faults/edl-boot-loop.yaml"),
    include_str!("../faults/ospf-boot-loop.yaml"),
    include_str!("../faults/user-id-boot-loop.yaml"),
    include_str!("../faults/gwlb-boot-loop.yaml"),
    include_str!("../faults/hsm-boot-loop.yaml"),
    include_str!("../faults/passive-reboots.yaml"),
    include_str!("../faults/no-auto-commit-job.yaml"),
    include_str!("../faults/auto-commit-needs-second-reboot.yaml"),
    include_str!("../faults/auto-commit-certificate.yaml"),
    include_str!("../faults/auto-commit-maintenance-mode.yaml"),
    include_str!("../faults/auto-commit-stuck-at-0.yaml"),
    include_str!("../faults/auto-commit-stuck-at-55.yaml"),
    include_str!("../faults/tpm-lockout.yaml"),
    include_str!("../faults/file-system-check.yaml"),
    include_str!("../faults/root-disk-full.yaml"),
    include_str!("../faults/root-disk-leaves-ha.yaml"),
    include_str!("../faults/configuration-disk-full.yaml"),
    include_str!("../faults/content-minimum.yaml"),
    include_str!("../faults/base-image-lost.yaml"),
    include_str!("../faults/software-manager-busy.yaml"),
    include_str!("../faults/download-stalls.yaml"),
    include_str!("../faults/download-times-out.yaml"),
    include_str!("../faults/corrupt-image.yaml"),
    include_str!("../faults/corrupt-image-fips.yaml"),
    include_str!("../faults/clock-wrong.yaml"),
    include_str!("../faults/update-server-unreachable.yaml"),
    include_str!("../faults/management-memory.yaml"),
    include_str!("../faults/ha1-stays-down.yaml"),
    include_str!("../faults/nat-mismatch.yaml"),
    include_str!("../faults/licence-mismatch.yaml"),
    include_str!("../faults/ha-stays-initial.yaml"),
    include_str!("../faults/ha2-stays-down.yaml"),
    include_str!("../faults/login-waits-for-auto-commit.yaml"),
    include_str!("../faults/ipsec-does-not-return.yaml"),
    include_str!("../faults/ospf-does-not-return.yaml"),
    include_str!("../faults/slow-ports.yaml"),
    include_str!("../faults/optic-down-25g.yaml"),
    include_str!("../faults/optic-down-sx.yaml"),
    include_str!("../faults/certificate-expiry.yaml"),
    include_str!("../faults/certificate-expiry-second.yaml"),
    include_str!("../faults/support-expired.yaml"),
    include_str!("../faults/panorama-tls.yaml"),
    include_str!("../faults/panorama-older.yaml"),
    include_str!("../faults/account-lockout.yaml"),
    include_str!("../faults/install-fails.yaml"),
    include_str!("../faults/downgrade-maintenance-mode.yaml"),
    include_str!("../faults/downgrade-maintenance-mode-vm.yaml"),
    include_str!("../faults/vsys-order.yaml"),
    include_str!("../faults/auto-commit-fails-twice.yaml"),
    include_str!("../faults/downgrade-boot-loop.yaml"),
    include_str!("../faults/never-returns.yaml"),
    include_str!("../faults/hsm-unreachable.yaml"),
    include_str!("../faults/software-integrity-check.yaml"),
    include_str!("../faults/job-history.yaml"),
    include_str!("../faults/failed-job-entries.yaml"),
];

/// What a condition is judged on.
pub(crate) struct Patient<'a> {
    pub(crate) name: &'a str,
    pub(crate) model: &'a str,
    pub(crate) version: Version,
    /// What an install replaced, if one did.
    pub(crate) left: Option<Version>,
    /// Which boot of an installed system it is, from 1; `None` for a system that was there from the start.
    pub(crate) boot: Option<u32>,
    /// Port and part number of each optic.
    pub(crate) optics: &'a [(u16, &'a str)],
    pub(crate) features: &'a [Feature],
    /// First number of the content.
    pub(crate) content: u32,
    pub(crate) ha: Option<HaState>,
    /// Version of the other member.
    pub(crate) peer: Option<Version>,
    pub(crate) now: Timestamp,
}

impl Condition {
    /// Whether all parts hold, but for the role in HA, and chance, which is not the patient's.
    pub(crate) fn holds(&self, patient: &Patient<'_>) -> bool {
        let named = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
        let within = |ranges: &[VersionRange], version: Option<Version>| {
            ranges.is_empty()
                || version.is_some_and(|version| ranges.iter().any(|range| range.contains(version)))
        };
        named(&self.devices, patient.name)
            && named(&self.models, patient.model)
            && within(&self.versions, Some(patient.version))
            && within(&self.left, patient.left)
            && self
                .first_boots
                .is_none_or(|first| patient.boot.is_some_and(|boot| boot <= first))
            && self
                .optics
                .as_ref()
                .is_none_or(|optics| optics.holds(patient.optics))
            && self
                .features
                .iter()
                .all(|feature| patient.features.contains(feature))
            && self.content_before.is_none_or(|first| patient.content < first)
            && self.since.is_none_or(|since| since <= patient.now)
    }

    /// Whether the parts about HA hold. They change while a device is in service.
    pub(crate) fn holds_in_role(&self, patient: &Patient<'_>) -> bool {
        (self.ha.is_empty() || patient.ha.is_some_and(|state| self.ha.contains(&state)))
            && (!self.peer_differs || patient.peer.is_some_and(|peer| peer != patient.version))
    }
}

impl VersionRange {
    fn contains(self, version: Version) -> bool {
        self.from.is_none_or(|from| from <= version) && self.before.is_none_or(|before| version < before)
    }
}

impl OpticCondition {
    fn holds(&self, optics: &[(u16, &str)]) -> bool {
        optics.iter().any(|(port, part)| {
            (self.ports.is_empty() || self.ports.contains(port))
                && (self.parts.is_empty() || self.parts.iter().any(|bad| bad == part))
                && !self
                    .allowed
                    .iter()
                    .any(|prefix| part.starts_with(prefix.as_str()))
        })
    }
}

/// The embedded rules. None applies unless a fleet file selects it.
pub(crate) fn library() -> Result<Vec<FaultRule>, serde_saphyr::Error> {
    LIBRARY.iter().map(|text| serde_saphyr::from_str(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient<'a>(version: &str, model: &'a str, optics: &'a [(u16, &'a str)]) -> Patient<'a> {
        Patient {
            name: "fw",
            model,
            version: version.parse().unwrap(),
            left: None,
            boot: None,
            optics,
            features: &[],
            content: 8700,
            ha: None,
            peer: None,
            now: "2026-03-01T22:00:00Z".parse().unwrap(),
        }
    }

    fn holds(version: &str, model: &str, optics: &[(u16, &str)]) -> bool {
        let rules = library().unwrap();
        let rule = rules.iter().find(|rule| rule.id == "optics-boot-loop").unwrap();
        rule.when.holds(&patient(version, model, optics))
    }
    #[test]
    fn the_optics_rule_needs_model_version_port_and_part() {
        let bad = [(6, "FTLX1475D3BCL")];
        assert!(holds("10.2.0", "PA-850", &bad));
        assert!(holds("10.2.4-h4", "PA-820", &bad));
        assert!(!holds("10.2.7", "PA-850", &bad), "fixed there");
        assert!(!holds("10.1.0", "PA-850", &bad), "before the range");
        assert!(!holds("10.2.0", "PA-440", &bad), "another model");
        assert!(
            !holds("10.2.0", "PA-850", &[(9, "FTLX1475D3BCL")]),
            "another port"
        );
        assert!(
            !holds("10.2.0", "PA-850", &[(6, "PAN-SFP-LX")]),
            "a supported part"
        );
        assert!(!holds("10.2.0", "PA-850", &[]), "an empty cage");
    }

    #[test]
    fn each_part_of_a_condition_can_fail_it() {
        let version = |text: &str| Some(text.parse::<Version>().unwrap());
        let range = |from: &str, before: &str| VersionRange {
            from: version(from),
            before: version(before),
        };
        let whole = Condition {
            left: vec![range("10.1.0", "10.2.0")],
            first_boots: Some(1),
            features: vec![Feature::Hsm],
            content_before: Some(8800),
            since: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            ha: vec![HaState::Passive],
            peer_differs: true,
            ..Condition::default()
        };
        let ill = || Patient {
            left: version("10.1.14"),
            boot: Some(1),
            features: &[Feature::Hsm],
            ha: Some(HaState::Passive),
            peer: version("10.1.14"),
            ..patient("10.2.0", "PA-850", &[])
        };
        let holds = |patient: &Patient<'_>| whole.holds(patient) && whole.holds_in_role(patient);
        assert!(holds(&ill()));
        let well: [(&str, Patient<'_>); 7] = [
            ("left", Patient { left: None, ..ill() }),
            (
                "second boot",
                Patient {
                    boot: Some(2),
                    ..ill()
                },
            ),
            (
                "feature",
                Patient {
                    features: &[Feature::UserId],
                    ..ill()
                },
            ),
            (
                "content",
                Patient {
                    content: 8800,
                    ..ill()
                },
            ),
            (
                "date",
                Patient {
                    now: "2025-12-31T00:00:00Z".parse().unwrap(),
                    ..ill()
                },
            ),
            (
                "role",
                Patient {
                    ha: Some(HaState::Active),
                    ..ill()
                },
            ),
            (
                "peer",
                Patient {
                    peer: version("10.2.0"),
                    ..ill()
                },
            ),
        ];
        for (part, patient) in &well {
            assert!(!holds(patient), "{part}");
        }
    }

    #[test]
    fn the_library_reads_and_every_rule_is_in_the_file_of_its_name() {
        let rules = library().unwrap();
        let names: std::collections::BTreeSet<_> = rules.iter().map(|rule| rule.id.clone()).collect();
        assert_eq!(names.len(), LIBRARY.len());
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/faults");
        let files: std::collections::BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| {
                file.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(
            names, files,
            "LIBRARY lists every file of faults/, and each holds the rule of its name"
        );
    }
}
