//! What is found in a configuration, what is passed over, and that no secret of it comes out anywhere.

use proptest::prelude::*;

use super::*;

fn recorded() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join("testdata/certificates/10.2.xml")).unwrap()
}

fn found(body: &[u8]) -> Result<Found, Failure> {
    read(Raw {
        status: 200,
        content_type: Some("application/xml"),
        body,
    })
}

/// A configuration of one device with this below its `<entry>`.
fn device(inner: &str) -> Found {
    let body = format!(
        "<response status='success'><result><config version=\"10.2.0\"><devices><entry name=\"localhost.localdomain\">{inner}</entry></devices></config></result></response>"
    );
    found(body.as_bytes()).unwrap()
}

#[test]
fn every_path_is_visited() {
    let settings = device(
        "<deviceconfig><system><hsm-settings><provider><safenet-network/></provider></hsm-settings></system>\
         <setting><advance-routing>yes</advance-routing><management><appusage-policy>no</appusage-policy></management></setting>\
         <high-availability><interface><ha1><ip-address>198.51.100.1</ip-address><netmask>255.255.255.252</netmask></ha1></interface>\
         <group><entry name='1'><peer-ip>198.51.100.2</peer-ip></entry></group></high-availability></deviceconfig>\
         <network><interface><fail-open>yes</fail-open><aggregate-ethernet><entry name='ae1'><layer3><dhcp-client/></layer3></entry>\
         <entry name='ae2'><layer3><dhcp-client><enable>no</enable></dhcp-client><units><entry name='ae2.7'><dhcp-client><enable>yes</enable></dhcp-client></entry></units></layer3></entry></aggregate-ethernet></interface>\
         <ike><gateway><entry name='g'><local-address><interface>ae1</interface></local-address></entry></gateway></ike>\
         <virtual-router><entry name='default'><protocol><ospf><area><entry name='0.0.0.0'><interface><entry name='ethernet1/1'><link-type><broadcast/></link-type></entry></interface></entry></area></ospf></protocol></entry></virtual-router>\
         <logical-router><entry name='LR'><vrf><entry name='default'><ospf><area><entry name='0'><interface><entry name='ethernet1/2'><link-type><p2p/></link-type></entry></interface></entry></area></ospf></entry></vrf></entry></logical-router></network>\
         <vsys><entry name='vsys1'><zone><entry name='trust'><enable-user-identification>yes</enable-user-identification></entry></zone>\
         <captive-portal><ssl-tls-service-profile>portal</ssl-tls-service-profile></captive-portal>\
         <ssl-tls-service-profile><entry name='portal'><protocol-settings><max-version>tls1-2</max-version></protocol-settings></entry><entry name='open'/></ssl-tls-service-profile>\
         <profiles><decryption><entry name='d'><ssl-protocol-settings><enc-algo-chacha20-poly1305>no</enc-algo-chacha20-poly1305></ssl-protocol-settings></entry></decryption></profiles>\
         <rulebase><nat><rules><entry name='out'><to/></entry></rules></nat></rulebase></entry></vsys>",
    )
    .settings;
    let vsys1 = |name: &str| ("vsys1".to_owned(), name.to_owned());
    assert_eq!(
        settings,
        Settings {
            advanced_routing: true,
            ospf: true,
            ospf_point_to_point: true,
            user_id_zone: true,
            hsm: true,
            chacha20: true,
            fail_open: true,
            nat: true,
            vsys: BTreeSet::from(["vsys1".to_owned()]),
            application_usage_off: true,
            portal_profiles: BTreeSet::from([vsys1("portal")]),
            tls_profiles: BTreeMap::from([(vsys1("open"), false), (vsys1("portal"), true)]),
            ike_interfaces: BTreeSet::from(["ae1".to_owned()]),
            dhcp_aggregates: BTreeSet::from(["ae1".to_owned(), "ae2.7".to_owned()]),
            ha1_peer: Some("198.51.100.2".to_owned()),
            ha1_address: Some("198.51.100.1".to_owned()),
            ha1_netmask: Some("255.255.255.252".to_owned()),
        }
    );
}

#[test]
fn what_is_named_alike_in_other_places_is_not_taken() {
    let settings = device(
        "<deviceconfig><system><hsm-settings><provider><none/></provider></hsm-settings><fail-open>yes</fail-open></system></deviceconfig>\
         <network><virtual-router><entry name='default'><protocol><ospf><enable>yes</enable><area><entry name='0'><type><normal/></type></entry></area></ospf><ospfv3><area><entry name='0'><interface><entry name='x'/></interface></entry></area></ospfv3></protocol></entry></virtual-router></network>\
         <vsys><entry name='vsys1'><zone><entry name='t'><enable-user-identification>no</enable-user-identification></entry></zone>\
         <rulebase><nat><rules/></nat><security><rules><entry name='nat'><rules><entry name='x'/></rules></entry></rules></security></rulebase></entry></vsys>",
    )
    .settings;
    assert_eq!(
        settings,
        Settings {
            vsys: BTreeSet::from(["vsys1".to_owned()]),
            ..Settings::default()
        }
    );
}

#[test]
fn a_certificate_is_used_where_anything_names_it() {
    let text = recorded();
    let found = found(text.as_bytes()).unwrap();
    let certificates = found.certificates(Timestamp::UNIX_EPOCH);
    let used = |text: &str| {
        let reply = Raw {
            status: 200,
            content_type: None,
            body: text.as_bytes(),
        };
        named_elsewhere(
            reply,
            certificates.iter().map(|certificate| certificate.name.as_str()),
        )
    };
    assert_eq!(used(&text), BTreeSet::from(["old".to_owned()]));
    // A profile lists it as an entry.
    let profile = text.replace(
        "<local-user-database>",
        "<certificate-profile><entry name=\"p\"><CA><entry name=\"gp\"/></CA></entry></certificate-profile><local-user-database>",
    );
    assert_eq!(
        used(&profile),
        BTreeSet::from(["gp".to_owned(), "old".to_owned()])
    );
    // The same name in two places is two certificates, and neither of them names the other.
    let places: Vec<&str> = certificates
        .iter()
        .filter(|certificate| certificate.name == "gp")
        .map(|certificate| certificate.place.as_str())
        .collect();
    assert_eq!(places, ["shared", "vsys1"]);
}

#[test]
fn an_export_without_a_reply_around_it_is_read_too() {
    let found = found(b"<?xml version=\"1.0\"?>\n<config version=\"10.1.0\"><shared/></config>\n").unwrap();
    assert_eq!(found.version.as_deref(), Some("10.1.0"));
}

#[test]
fn no_secret_of_a_configuration_comes_out() {
    const MARKER: &str = "SECRET-MARKER";
    let text = recorded();
    let markers = text.matches(MARKER).count();
    assert!(markers > 10, "{markers}");
    let found = found(text.as_bytes()).unwrap();
    let shown = format!(
        "{found:?} {:?} {:?}",
        found.certificates(Timestamp::UNIX_EPOCH),
        found.lists()
    );
    assert!(!shown.contains(MARKER), "{shown}");
    // Cut or damaged anywhere, its error quotes nothing.
    for end in (0..text.len()).step_by(7) {
        let Some(cut) = text.get(..end) else { continue };
        let told = format!("{:?}", tests::found(cut.as_bytes()));
        assert!(!told.contains(MARKER), "{told}");
        let damaged = format!("{cut}<{}", &text[end..]);
        let told = format!("{:?}", tests::found(damaged.as_bytes()));
        assert!(!told.contains(MARKER), "{told}");
    }
}

#[test]
fn addresses_lose_logins_and_queries() {
    for (source, shown) in [
        ("https://lists.example/ip.txt", "https://lists.example/ip.txt"),
        (
            "https://u:p@lists.example/ip.txt?t=1#x",
            "https://lists.example/ip.txt",
        ),
        ("https://u:p@lists.example", "https://lists.example"),
        ("https://lists.example/a@b", "https://lists.example/a@b"),
        ("u:p@lists.example", "lists.example"),
        ("", ""),
    ] {
        assert_eq!(without_login(source), shown);
    }
}

#[test]
fn what_is_no_configuration_says_what_it_is() {
    let told = [
        "",
        "<response status='error' code='16'><msg><line>Unauthorized request</line></msg></response>",
        "<response status='success'><result/></response>",
        "<html><body>Loading</body></html>",
        "<response status='success'><result><config version='1'><shared>",
        "<response status='success'><result><config version='1'></shared></config></result></response>",
        "<config/><config/>",
        "<config/></x>",
    ]
    .map(|body| found(body.as_bytes()).unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n"), @"
    the reply is not a PAN-OS reply: an empty body
    the administrator's role does not allow it (code 16): Unauthorized request
    the reply cannot be understood: a success reply without a configuration
    the reply is not a PAN-OS reply: an HTML page: <html><body>Loading</body></html>
    the reply is not a PAN-OS reply: a configuration of 63 bytes that is wrong at byte 63, which is not shown
    the reply is not a PAN-OS reply: a configuration of 93 bytes that is wrong at byte 55, which is not shown
    the reply is not a PAN-OS reply: a configuration of 18 bytes that is wrong at byte 18, which is not shown
    the reply is not a PAN-OS reply: a configuration of 13 bytes that is wrong at byte 9, which is not shown
    ");
    let unavailable = Raw {
        status: 503,
        content_type: None,
        body: b"<config/>",
    };
    assert!(read(unavailable).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = found(&body);
    }

    #[test]
    fn no_xml_makes_the_reader_panic(body in "(<config>|<shared>|</shared>|<certificate>|<entry name='a'>|<entry/>|</entry>|<public-key>|x|<devices>|<vsys>|<external-list>|<type>|<ip>|<url>|</|>|<!\\[CDATA\\[|\\]\\]>|&amp;|&x;|&){0,40}") {
        let _ = found(body.as_bytes());
    }

    #[test]
    fn a_configuration_cut_short_is_never_read(cut: prop::sample::Index) {
        let whole = recorded();
        let whole = whole.trim_end().as_bytes();
        prop_assert!(found(&whole[..cut.index(whole.len())]).is_err());
    }
}

/// A configuration with everything that profiles of servers hold.
const LOG_SETTINGS: &str = "<response status='success'><result><config version='11.1.0'><shared><log-settings>\
    <syslog><entry name='siem'><server><entry name='a'><transport>UDP</transport><server>192.0.2.60</server></entry>\
    <entry name='b'><server>siem.acme.example</server></entry></server><format><traffic>SECRET-format</traffic></format></entry>\
    <entry name='unused'/></syslog>\
    <http><entry name='hook'><server><entry name='h'><address>u:SECRET@hook.acme.example</address><username>SECRET</username>\
    <password>SECRET</password></entry></server></entry></http>\
    <snmptrap><entry name='traps'><version><v3><server><entry name='m'><manager>192.0.2.61</manager><user>SECRET</user>\
    <authpwd>SECRET</authpwd><privpwd>SECRET</privpwd></entry></server></v3></version></entry>\
    <entry name='old'><version><v2c><server><entry name='m'><manager>192.0.2.62</manager><community>SECRET</community></entry></server>\
    </v2c></version></entry></snmptrap>\
    <email><entry name='noc'><server><entry name='e'><from>a@b</from><gateway>mail.acme.example</gateway><password>SECRET</password>\
    </entry></server></entry></email>\
    <system><match-list><entry name='all'><filter>SECRET</filter><send-syslog><member>siem</member><member>pushed</member></send-syslog>\
    <send-snmptrap><member>old</member></send-snmptrap><send-to-panorama>no</send-to-panorama></entry></match-list></system>\
    <config><match-list><entry name='all'><send-http><member>hook</member></send-http></entry></match-list></config></log-settings></shared>\
    <devices><entry name='localhost.localdomain'><vsys><entry name='vsys2'><log-settings>\
    <syslog><entry name='siem'><server><entry name='a'><server>192.0.2.70</server></entry></server></entry></syslog>\
    <profiles><entry name='default'><match-list><entry name='t'><log-type>traffic</log-type><send-to-panorama>yes</send-to-panorama>\
    <send-syslog><member>siem</member></send-syslog><send-email><member>noc</member></send-email></entry></match-list></entry></profiles>\
    </log-settings></entry></vsys></entry></devices></config></result></response>";

#[test]
fn where_logs_go_is_told_by_match_lists_and_never_with_what_opens_the_door() {
    let found = found(LOG_SETTINGS.as_bytes()).unwrap();
    let shown = format!("{found:?}");
    assert!(!shown.contains("SECRET"), "{shown}");
    let targets = found.log_targets();
    assert!(targets.to_panorama);
    let told: Vec<String> = targets
        .profiles
        .iter()
        .map(|target| {
            let used = if target.used { "used" } else { "not used" };
            let servers = target.servers.join(" ");
            format!(
                "{}/{}/{}: {used}, [{servers}]",
                target.place, target.kind, target.name
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    shared/email/noc: used, [mail.acme.example]
    shared/http/hook: used, [hook.acme.example]
    shared/snmptrap/old: used, [192.0.2.62]
    shared/snmptrap/traps: not used, [192.0.2.61]
    shared/syslog/pushed: used, []
    shared/syslog/siem: used, [192.0.2.60 siem.acme.example]
    shared/syslog/unused: not used, []
    vsys2/syslog/siem: used, [192.0.2.70]
    ");
}
