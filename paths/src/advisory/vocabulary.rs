//! The names by which advisories ask about a device.
//!
//! Responsible for: the closed list of flags and numbers, each with what it means and how a device tells. Must not
//! know: who asks and what for. Each can be read by an operational command or from the configuration; a name that
//! nobody can read is not a predicate.

/// A flag or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// As advisories write it.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// How a device tells.
    pub read: &'static str,
}

const fn word(name: &'static str, meaning: &'static str, read: &'static str) -> Word {
    Word { name, meaning, read }
}

/// What is or is not so.
pub const FLAGS: &[Word] = &[
    word(
        "ha",
        "high availability is on",
        "show high-availability state: result/enabled",
    ),
    word(
        "active-active",
        "the pair is active/active",
        "show high-availability state: result/group/mode",
    ),
    word(
        "ha1-peer-in-other-subnet",
        "the HA1 address of the peer is outside the subnet of the HA1 interface",
        "configuration: deviceconfig/high-availability/group/peer-ip and interface/ha1",
    ),
    word(
        "multi-vsys",
        "it runs several virtual systems",
        "show system info: multi-vsys",
    ),
    word(
        "vsys-id-gap",
        "the ids of the virtual systems have a gap",
        "configuration: entries of vsys, vsys1, vsys2 and so on",
    ),
    word(
        "fips-cc",
        "it runs in FIPS-CC mode",
        "show system info: operational-mode",
    ),
    word(
        "panorama-managed",
        "a Panorama is configured",
        "show panorama-status",
    ),
    word(
        "update-server-unreachable",
        "no update server answers",
        "request system software check",
    ),
    word(
        "advanced-routing",
        "the advanced routing engine is on",
        "show system info: advanced-routing; configuration: deviceconfig/setting/advance-routing",
    ),
    word(
        "ospf",
        "an OSPF area has an interface",
        "configuration: network/virtual-router/*/protocol/ospf, network/logical-router/*/vrf/*/ospf",
    ),
    word(
        "ospf-point-to-point",
        "an OSPF interface has link type p2p",
        "configuration: network/virtual-router/*/protocol/ospf, network/logical-router/*/vrf/*/ospf",
    ),
    word(
        "user-id",
        "User-ID is on in a zone",
        "configuration: vsys/*/zone/*/enable-user-identification",
    ),
    word(
        "hsm",
        "a hardware security module is configured",
        "configuration: deviceconfig/system/hsm-settings/provider; show hsm info",
    ),
    word(
        "edl-without-certificate-profile",
        "an external dynamic list has an https address and no certificate profile",
        "configuration: vsys/*/external-list/*/type/*, shared/external-list",
    ),
    word(
        "captive-portal-tls-without-max-version",
        "the TLS profile of the Authentication Portal has no highest version",
        "configuration: vsys/*/captive-portal/ssl-tls-service-profile, protocol-settings/max-version",
    ),
    word(
        "chacha20-in-decryption-profile",
        "a decryption profile names ChaCha20-Poly1305",
        "configuration: profiles/decryption/*/ssl-protocol-settings/enc-algo-chacha20-poly1305",
    ),
    word(
        "weak-certificate",
        "a certificate in use has RSA under 2048 bit, ECDSA under 256 bit or a digest older than SHA-256",
        "configuration: certificate entries, public keys",
    ),
    word(
        "default-master-key",
        "the master key was never changed",
        "show system masterkey-properties: Master key expires at: unspecified",
    ),
    word(
        "policy-application-usage",
        "Policy Application Usage is on, as it is unless switched off",
        "configuration: deviceconfig/setting/management/appusage-policy",
    ),
    word(
        "fail-to-wire",
        "fail-to-wire is on",
        "configuration: network/interface/fail-open",
    ),
    word(
        "aws-gwlb",
        "inspection for an AWS Gateway Load Balancer is on",
        "show plugins vm_series aws gwlb",
    ),
    word(
        "ike-on-aggregate-dhcp",
        "an IKE gateway sits on an aggregate interface that is a DHCP client",
        "configuration: network/ike/gateway/*/local-address/interface, layer3/dhcp-client",
    ),
    word(
        "nat",
        "there is a NAT rule",
        "configuration: vsys/*/rulebase/nat/rules, pushed ones too",
    ),
    word(
        "plugins-installed",
        "a plugin is installed",
        "show plugins installed",
    ),
    word(
        "vm-50",
        "it is a VM-50 or VM-50L",
        "show system info: vm-license, vm-mode",
    ),
    word(
        "first-generation-smc",
        "the chassis holds a switch management card of the first generation",
        "show chassis inventory: PA-7050-SMC, PA-7080-SMC",
    ),
    word(
        "npc-100g",
        "the chassis holds a 100G network processing card",
        "show chassis inventory",
    ),
];

/// What there is so or so much of.
pub const NUMBERS: &[Word] = &[
    word(
        "memory-mb",
        "MiB of memory as the device reports it, about 3 percent below what was configured",
        "show system info: vm-mem / 1024; show system resources",
    ),
    word(
        "root-used-percent",
        "use of the root file system",
        "show system disk-space",
    ),
    word(
        "pancfg-used-percent",
        "use of /opt/pancfg",
        "show system disk-space",
    ),
    word(
        "panrepo-free-mb",
        "MiB free in /opt/panrepo",
        "show system disk-space",
    ),
    word(
        "content",
        "the first number of the installed content version",
        "show system info: app-version",
    ),
    word(
        "ssd-attribute-232",
        "SMART attribute 232 of the disk, its available reserved space",
        "debug system disk-smart-info disk-1",
    ),
    word(
        "vm-plugin-version",
        "the installed vm_series plugin M.N.P-hQ as M * 1000000 + N * 10000 + P * 100 + Q",
        "show plugins installed; show system info: plugin_versions",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_stands_once_and_says_what_it_means_and_how_it_is_read() {
        let all: Vec<_> = FLAGS.iter().chain(NUMBERS).collect();
        let names: BTreeSet<_> = all.iter().map(|word| word.name).collect();
        assert_eq!(names.len(), all.len());
        for word in all {
            let kebab =
                |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
            assert!(word.name.chars().all(kebab), "{}", word.name);
            assert!(!word.meaning.is_empty() && !word.read.is_empty(), "{}", word.name);
        }
    }
}
