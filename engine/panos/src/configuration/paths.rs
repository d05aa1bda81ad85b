//! The paths of a configuration that facts come from, as a tree.
//! Knows where each is; must not know what is done with what is found there.

use std::sync::OnceLock;

/// The places that hold objects of one kind: shared, and each virtual system.
const SCOPES: &[&str] = &["shared", "devices/*/vsys/*"];

/// What to do at the end of a path. `*` in a path is an `<entry>` and stands for its name, `?` is any element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    CertificatePem,
    CertificateEnd,
    CertificateAlgorithm,
    CertificateSubject,
    CertificateAuthority,
    List,
    ListSource,
    ListProfile,
    ListLogin,
    ListRecurrence,
    ListHour,
    ListDay,
    ReportMail,
    Chacha20,
    TlsProfile,
    TlsProfileMaximum,
    UserIdZone,
    PortalProfile,
    Nat,
    Hsm,
    AdvancedRouting,
    ApplicationUsage,
    Ha1Peer,
    Ha1Address,
    Ha1Netmask,
    FailOpen,
    DhcpAggregate,
    DhcpAggregateEnable,
    IkeInterface,
    Ospf,
    OspfLinkType,
    OspfLinkTypeText,
    LogProfile,
    LogServer,
    LogTrapManager,
    LogUse,
    LogToPanorama,
    Portal,
    Gateway,
}

/// Paths below each of [`SCOPES`].
const SCOPED: &[(&str, At)] = &[
    ("certificate/*/public-key", At::CertificatePem),
    ("certificate/*/expiry-epoch", At::CertificateEnd),
    ("certificate/*/algorithm", At::CertificateAlgorithm),
    ("certificate/*/subject", At::CertificateSubject),
    ("certificate/*/ca", At::CertificateAuthority),
    ("external-list/*/type/?", At::List),
    ("external-list/*/type/?/url", At::ListSource),
    ("external-list/*/type/?/certificate-profile", At::ListProfile),
    ("external-list/*/type/?/auth", At::ListLogin),
    ("external-list/*/type/?/recurring/?", At::ListRecurrence),
    ("external-list/*/type/?/recurring/?/at", At::ListHour),
    ("external-list/*/type/?/recurring/?/day-of-week", At::ListDay),
    ("external-list/*/type/?/recurring/?/day-of-month", At::ListDay),
    ("email-scheduler/*/recurring/?", At::ReportMail),
    (
        "profiles/decryption/*/ssl-protocol-settings/enc-algo-chacha20-poly1305",
        At::Chacha20,
    ),
    ("ssl-tls-service-profile/*", At::TlsProfile),
    (
        "ssl-tls-service-profile/*/protocol-settings/max-version",
        At::TlsProfileMaximum,
    ),
    ("zone/*/enable-user-identification", At::UserIdZone),
    ("captive-portal/ssl-tls-service-profile", At::PortalProfile),
    ("rulebase/nat/rules/*", At::Nat),
    ("pre-rulebase/nat/rules/*", At::Nat),
    ("post-rulebase/nat/rules/*", At::Nat),
    // Of a profile its servers, and never the community, the users and the passwords beside them (pan-os-codegen,
    // `specs/device/profiles`; CLI configuration hierarchy of 11.1).
    ("log-settings/syslog/*", At::LogProfile),
    ("log-settings/syslog/*/server/*/server", At::LogServer),
    ("log-settings/http/*", At::LogProfile),
    ("log-settings/http/*/server/*/address", At::LogServer),
    ("log-settings/email/*", At::LogProfile),
    ("log-settings/email/*/server/*/gateway", At::LogServer),
    ("log-settings/snmptrap/*", At::LogProfile),
    (
        "log-settings/snmptrap/*/version/?/server/*/manager",
        At::LogTrapManager,
    ),
    // The device's own logs (system, config, userid and so on), and those of rules.
    ("log-settings/?/match-list/*/send-syslog/member", At::LogUse),
    ("log-settings/?/match-list/*/send-http/member", At::LogUse),
    ("log-settings/?/match-list/*/send-snmptrap/member", At::LogUse),
    ("log-settings/?/match-list/*/send-email/member", At::LogUse),
    ("log-settings/?/match-list/*/send-to-panorama", At::LogToPanorama),
    (
        "log-settings/profiles/*/match-list/*/send-syslog/member",
        At::LogUse,
    ),
    (
        "log-settings/profiles/*/match-list/*/send-http/member",
        At::LogUse,
    ),
    (
        "log-settings/profiles/*/match-list/*/send-snmptrap/member",
        At::LogUse,
    ),
    (
        "log-settings/profiles/*/match-list/*/send-email/member",
        At::LogUse,
    ),
    (
        "log-settings/profiles/*/match-list/*/send-to-panorama",
        At::LogToPanorama,
    ),
    ("global-protect/global-protect-portal/*", At::Portal),
    ("global-protect/global-protect-gateway/*", At::Gateway),
];

/// Paths below `devices/*`.
const OF_DEVICE: &[(&str, At)] = &[
    ("deviceconfig/system/hsm-settings/provider/?", At::Hsm),
    ("deviceconfig/setting/advance-routing", At::AdvancedRouting),
    (
        "deviceconfig/setting/management/appusage-policy",
        At::ApplicationUsage,
    ),
    ("deviceconfig/high-availability/group/peer-ip", At::Ha1Peer),
    ("deviceconfig/high-availability/group/*/peer-ip", At::Ha1Peer),
    (
        "deviceconfig/high-availability/interface/ha1/ip-address",
        At::Ha1Address,
    ),
    (
        "deviceconfig/high-availability/interface/ha1/netmask",
        At::Ha1Netmask,
    ),
    ("network/interface/fail-open", At::FailOpen),
    (
        "network/interface/aggregate-ethernet/*/layer3/dhcp-client",
        At::DhcpAggregate,
    ),
    (
        "network/interface/aggregate-ethernet/*/layer3/dhcp-client/enable",
        At::DhcpAggregateEnable,
    ),
    (
        "network/interface/aggregate-ethernet/*/layer3/units/*/dhcp-client",
        At::DhcpAggregate,
    ),
    (
        "network/interface/aggregate-ethernet/*/layer3/units/*/dhcp-client/enable",
        At::DhcpAggregateEnable,
    ),
    ("network/ike/gateway/*/local-address/interface", At::IkeInterface),
    (
        "network/virtual-router/*/protocol/ospf/area/*/interface/*",
        At::Ospf,
    ),
    (
        "network/virtual-router/*/protocol/ospf/area/*/interface/*/link-type",
        At::OspfLinkTypeText,
    ),
    (
        "network/virtual-router/*/protocol/ospf/area/*/interface/*/link-type/?",
        At::OspfLinkType,
    ),
    ("network/logical-router/*/vrf/*/ospf/area/*/interface/*", At::Ospf),
    (
        "network/logical-router/*/vrf/*/ospf/area/*/interface/*/link-type",
        At::OspfLinkTypeText,
    ),
    (
        "network/logical-router/*/vrf/*/ospf/area/*/interface/*/link-type/?",
        At::OspfLinkType,
    ),
];

/// The paths as a tree.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) at: Option<At>,
    children: Vec<(&'static str, Step)>,
}

impl Step {
    pub(super) fn child(&self, element: &str) -> Option<&Self> {
        let named = self.children.iter().find(|(name, _)| *name == element);
        let named = named.or_else(|| {
            let any = if element == "entry" { "*" } else { "?" };
            self.children.iter().find(|(name, _)| *name == any)
        });
        named.map(|(_, step)| step)
    }

    fn add(&mut self, path: impl IntoIterator<Item = &'static str>, at: Option<At>) {
        let mut step = self;
        for name in path {
            let known = step.children.iter().position(|(known, _)| *known == name);
            let index = known.unwrap_or_else(|| {
                step.children.push((name, Self::default()));
                step.children.len() - 1
            });
            step = &mut step.children[index].1;
        }
        step.at = at.or(step.at);
    }
}

/// The tree of every path, below `<config>`.
pub(super) fn paths() -> &'static Step {
    static PATHS: OnceLock<Step> = OnceLock::new();
    PATHS.get_or_init(|| {
        let mut root = Step::default();
        for scope in SCOPES {
            for (path, at) in SCOPED {
                root.add(scope.split('/').chain(path.split('/')), Some(*at));
            }
        }
        for (path, at) in OF_DEVICE {
            root.add(["devices", "*"].into_iter().chain(path.split('/')), Some(*at));
        }
        root
    })
}
