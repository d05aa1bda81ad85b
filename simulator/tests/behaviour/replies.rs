//! Replies word by word, where a client's parser depends on the words.

use crate::probe::{Probe, between, fleet};

const FLEET: &str = "\
devices:
  - name: fw
    model: PA-850
    version: 9.1.16
    content: 8700-7000
    serial: '012345678901'
    address: 10.1.2.3
    config_locks: [alice]
    optics: [{port: 6, vendor: FINISAR CORP., part: FTLX1475D3BCL, serial: UXXXXXX}]
releases:
  - {version: 9.1.0, size: 775}
  - {version: 9.1.16, size: 440, preferred: true}
  - {version: 10.0.0, size: 868}
";

/// One element a line, so that a difference shows where it is.
fn lines(body: &str) -> String {
    body.replace("><", ">\n<")
}

#[tokio::test(start_paused = true)]
async fn the_replies_that_parsers_depend_on() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    insta::assert_snapshot!(lines(&probe.body("<show><system><info/></system></show>").await), @r#"
    <response status="success">
    <result>
    <system>
    <hostname>fw</hostname>
    <ip-address>10.1.2.3</ip-address>
    <netmask>255.255.255.0</netmask>
    <default-gateway>10.0.0.1</default-gateway>
    <is-dhcp>no</is-dhcp>
    <mac-address>b4:0c:25:af:72:00</mac-address>
    <time>Sun Mar  1 22:00:00 2026</time>
    <uptime>68 days, 1:08:09</uptime>
    <devicename>fw</devicename>
    <family>800</family>
    <model>PA-850</model>
    <serial>012345678901</serial>
    <cloud-mode>non-cloud</cloud-mode>
    <sw-version>9.1.16</sw-version>
    <global-protect-client-package-version>0.0.0</global-protect-client-package-version>
    <app-version>8700-7000</app-version>
    <av-version>0</av-version>
    <threat-version>8700-7000</threat-version>
    <wildfire-version>0</wildfire-version>
    <url-filtering-version>0000.00.00.000</url-filtering-version>
    <logdb-version>9.1.0</logdb-version>
    <platform-family>800</platform-family>
    <vpn-disable-mode>off</vpn-disable-mode>
    <multi-vsys>off</multi-vsys>
    <operational-mode>normal</operational-mode>
    <device-certificate-status>None</device-certificate-status>
    </system>
    </result>
    </response>
    "#);
    insta::assert_snapshot!(
        lines(&probe.body("<request><system><software><info/></software></system></request>").await), @r#"
        <response status="success">
        <result>
        <sw-updates last-updated-at="2026/03/01 22:00:00">
        <msg/>
        <versions>
        <entry>
        <version>9.1.0</version>
        <filename>PanOS_800-9.1.0</filename>
        <size>775</size>
        <size-kb>793600</size-kb>
        <released-on>2019/12/13 08:00:00</released-on>
        <release-notes>
        <![CDATA[https://docs.paloaltonetworks.com/pan-os]]>
        </release-notes>
        <downloaded>yes</downloaded>
        <current>no</current>
        <latest>no</latest>
        <uploaded>no</uploaded>
        </entry>
        <entry>
        <version>9.1.16</version>
        <filename>PanOS_800-9.1.16</filename>
        <size>440</size>
        <size-kb>450560</size-kb>
        <released-on>2021/12/02 08:00:00</released-on>
        <release-notes>
        <![CDATA[https://docs.paloaltonetworks.com/pan-os]]>
        </release-notes>
        <downloaded>yes</downloaded>
        <current>yes</current>
        <latest>no</latest>
        <uploaded>no</uploaded>
        </entry>
        <entry>
        <version>10.0.0</version>
        <filename>PanOS_800-10.0.0</filename>
        <size>868</size>
        <size-kb>888832</size-kb>
        <released-on>2020/07/16 08:00:00</released-on>
        <release-notes>
        <![CDATA[https://docs.paloaltonetworks.com/pan-os]]>
        </release-notes>
        <downloaded>no</downloaded>
        <current>no</current>
        <latest>yes</latest>
        <uploaded>no</uploaded>
        </entry>
        </versions>
        </sw-updates>
        </result>
        </response>
        "#);
    insta::assert_snapshot!(probe.body("<show><system><disk-space/></system></show>").await, @r#"
    <response status="success"><result><![CDATA[Filesystem       Size  Used Avail Use% Mounted on
    /dev/root        6.9G  4.1G  2.5G  63% /
    none             2.0G   64K  2.0G   1% /dev
    /dev/sda5         15G  3.2G   11G  23% /opt/pancfg
    /dev/sda6         15G  7.5G  7.5G  50% /opt/panrepo
    tmpfs            1.3G  412M  875M  33% /dev/shm
    /dev/sda8         89G   22G   63G  26% /opt/panlogs
    ]]></result></response>
    "#);
    insta::assert_snapshot!(lines(&probe.body("<show><jobs><id>1</id></jobs></show>").await), @r#"
    <response status="success">
    <result>
    <job>
    <tenq>2025/12/23 20:51:51</tenq>
    <tdeq>20:51:52</tdeq>
    <id>1</id>
    <user>
    </user>
    <type>AutoCom</type>
    <status>FIN</status>
    <queued>NO</queued>
    <stoppable>no</stoppable>
    <result>OK</result>
    <tfin>2025/12/23 20:58:51</tfin>
    <description>
    </description>
    <positionInQ>0</positionInQ>
    <progress>100</progress>
    <details>
    <line>Configuration committed successfully</line>
    </details>
    <warnings>
    </warnings>
    </job>
    </result>
    </response>
    "#);
    insta::assert_snapshot!(lines(&probe.body("<show><config-locks><vsys>all</vsys></config-locks></show>").await), @r#"
    <response status="success">
    <result>
    <config-locks>
    <entry name="alice">
    <type>shared</type>
    <name>
    </name>
    <created>2026/03/01 22:00:00</created>
    <last-activity>
    </last-activity>
    <loggedin>yes</loggedin>
    <comment>
    </comment>
    </entry>
    </config-locks>
    </result>
    </response>
    "#);
}

#[tokio::test(start_paused = true)]
async fn optics_read_as_system_state() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    let state = async |filter: &str| {
        probe
            .body(&format!("<show><system><state>{filter}</state></system></show>"))
            .await
    };
    let all = state("<filter>sys.s*.p*.phy</filter>").await;
    assert_eq!(all.matches(".phy: {").count(), 12, "a PA-850 has twelve ports");
    assert_eq!(all.matches("SFP-Empty").count(), 7);
    insta::assert_snapshot!(state("<filter>sys.s1.p6.phy</filter>").await, @r#"
    <response status="success"><result><![CDATA[sys.s1.p6.phy: { 'link-partner': { }, 'media': SFP-Plus-Fiber, 'sfp': { 'connector': LC, 'encoding': 64B66B, 'identifier': SFP, 'vendor-name': FINISAR CORP.   , 'vendor-part-number': FTLX1475D3BCL   , 'vendor-part-rev': A   , 'vendor-serial-number': UXXXXXX         , }, 'type': Ethernet, }
    ]]></result></response>
    "#);
    insta::assert_snapshot!(state("<filter-pretty>sys.s1.p6.phy</filter-pretty>").await, @r#"
    <response status="success"><result><![CDATA[sys.s1.p6.phy: {
      link-partner: { },
      media: SFP-Plus-Fiber,
      sfp: {
        connector: LC,
        encoding: 64B66B,
        identifier: SFP,
        vendor-name: FINISAR CORP.   ,
        vendor-part-number: FTLX1475D3BCL   ,
        vendor-part-rev: A   ,
        vendor-serial-number: UXXXXXX         ,
      },
      type: Ethernet,
    }
    ]]></result></response>
    "#);
    insta::assert_snapshot!(state("<filter>sys.s4.p*.phy</filter>").await, @r#"
    <response status="success"><result><![CDATA['sys.s4.p*.phy': NO_MATCHES
    ]]></result></response>
    "#);
}

#[tokio::test(start_paused = true)]
async fn content_updates_succeed_even_when_there_is_nothing_newer() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    let install = "<request><content><upgrade><install><commit>yes</commit><sync-to-peer>yes</sync-to-peer>\
                   <version>latest</version></install></upgrade></content></request>";
    assert!(probe.body(install).await.contains("has not been downloaded"));
    let job = crate::probe::job_id(
        &probe
            .body("<request><content><upgrade><download><latest/></download></upgrade></content></request>")
            .await,
    );
    assert!(probe.finish(job).await.starts_with("OK"));
    for _ in 0..2 {
        let job = crate::probe::job_id(&probe.body(install).await);
        assert!(probe.finish(job).await.starts_with("OK"));
        assert_eq!(
            probe
                .read("<show><system><info/></system></show>", "app-version")
                .await,
            "9050-9800"
        );
    }
}

/// panos-upgrade-assurance 2.1.1 loads `public-key` as a certificate and gives up its whole run without one.
#[tokio::test(start_paused = true)]
async fn a_certificate_of_the_configuration_is_a_whole_one() {
    let fleet = fleet(FLEET);
    let body = Probe::login(&fleet, "fw")
        .await
        .body("<show><config><running/></config></show>")
        .await;
    let entry = between(&body, "<certificate>", "</certificate>");
    assert_eq!(between(entry, "<algorithm>", "</algorithm>"), "RSA");
    let certificate = between(entry, "<public-key>", "</public-key>");
    assert!(
        certificate.starts_with("-----BEGIN CERTIFICATE-----\n")
            && certificate.trim_end().ends_with("-----END CERTIFICATE-----"),
        "{certificate}"
    );
}
