//! Every call's request, and the replies with a meaning of their own.

use std::sync::Arc;

use super::*;
use crate::error::Class;
use crate::scripted::{Answer, Scripted, Seen, golden, reply};
use crate::secret::{Credentials, Secret};

fn client(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Arc<Scripted>, Client) {
    let transport = Arc::new(Scripted::new(answer));
    let key = Credentials::Key(Secret::new("KEY"));
    let client = Client::new("acme-fw1".into(), Arc::clone(&transport) as _, key);
    (transport, client)
}

fn answering(name: &'static str) -> Client {
    client(move |_| reply(200, golden(name))).1
}

#[tokio::test]
async fn the_request_of_every_call() {
    let (transport, client) = client(|_| reply(200, golden("empty-result.xml")));
    let version = "10.2.4-h4".parse().unwrap();
    let _ = client.system_info().await;
    let _ = client.software_info().await;
    let _ = client.software_check().await;
    let _ = client.download(version).await;
    let _ = client.install(version).await;
    let _ = client.job(JobId(7)).await;
    let _ = client.jobs().await;
    let _ = client.restart().await;
    let _ = client.ha_state().await;
    let _ = client.suspend().await;
    let _ = client.functional().await;
    let _ = client.chassis_ready().await;
    let _ = client.software_manager().await;
    let _ = client.disk_space().await;
    let _ = client.pending_changes().await;
    let _ = client.config_locks().await;
    let _ = client.commit_locks().await;
    let _ = client.optics().await;
    let _ = client.export_configuration().await;
    let requests: Vec<String> = transport
        .seen()
        .iter()
        .map(|seen| {
            let fields: Vec<String> = form_urlencoded::parse(seen.body.as_bytes())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            fields.join(" ")
        })
        .collect();
    insta::assert_snapshot!(requests.join("\n"), @r"
    type=op cmd=<show><system><info/></system></show>
    type=op cmd=<request><system><software><info/></software></system></request>
    type=op cmd=<request><system><software><check/></software></system></request>
    type=op cmd=<request><system><software><download><version>10.2.4-h4</version></download></software></system></request>
    type=op cmd=<request><system><software><install><version>10.2.4-h4</version></install></software></system></request>
    type=op cmd=<show><jobs><id>7</id></jobs></show>
    type=op cmd=<show><jobs><all/></jobs></show>
    type=op cmd=<request><restart><system/></restart></request>
    type=op cmd=<show><high-availability><state/></high-availability></show>
    type=op cmd=<request><high-availability><state><suspend/></state></high-availability></request>
    type=op cmd=<request><high-availability><state><functional/></state></high-availability></request>
    type=op cmd=<show><chassis-ready/></show>
    type=op cmd=<debug><swm><status/></swm></debug>
    type=op cmd=<show><system><disk-space/></system></show>
    type=op cmd=<check><pending-changes/></check>
    type=op cmd=<show><config-locks><vsys>all</vsys></config-locks></show>
    type=op cmd=<show><commit-locks><vsys>all</vsys></commit-locks></show>
    type=op cmd=<show><system><state><filter>sys.s*.p*.phy</filter></state></system></show>
    type=export category=configuration
    ");
}

#[tokio::test]
async fn a_restart_is_accepted_in_either_wording() {
    assert_eq!(answering("restart.xml").restart().await, Ok(()));
    assert_eq!(answering("empty-result.xml").restart().await, Ok(()));
    let error = answering("error-two-lines.xml").restart().await.unwrap_err();
    assert_eq!(error.class(), Class::Refused);
    // Only a restart may end so.
    assert!(answering("restart.xml").suspend().await.is_err());
}

#[tokio::test]
async fn suspend_and_functional_need_no_more_than_a_success() {
    for name in ["suspended.xml", "empty-result.xml"] {
        assert_eq!(answering(name).suspend().await, Ok(()));
        assert_eq!(answering(name).functional().await, Ok(()));
    }
}

#[tokio::test]
async fn chassis_readiness_is_unknown_where_the_command_is() {
    assert_eq!(
        answering("chassis-ready-10.2.xml").chassis_ready().await,
        Ok(Some(true))
    );
    assert_eq!(
        answering("error-unknown-command.xml").chassis_ready().await,
        Ok(None)
    );
    assert!(answering("empty-result.xml").chassis_ready().await.is_err());
    assert!(answering("error-bare-message.xml").chassis_ready().await.is_err());
}

#[tokio::test]
async fn an_accepted_install_without_a_job_number_may_be_running() {
    let version = "10.2.0".parse().unwrap();
    assert_eq!(
        answering("enqueued-install.xml").install(version).await,
        Ok(JobId(3453))
    );
    assert_eq!(
        answering("enqueued-download.xml").download(version).await,
        Ok(JobId(3448))
    );
    let error = answering("empty-result.xml").install(version).await.unwrap_err();
    assert_eq!(error.class(), Class::Indeterminate);
    insta::assert_snapshot!(error, @"install 10.2.0 on acme-fw1: the reply cannot be understood: accepted, but no job number in the reply");
}

#[tokio::test]
async fn an_exported_configuration_is_handed_over_byte_by_byte() {
    let configuration = answering("configuration-10.1.xml")
        .export_configuration()
        .await
        .unwrap();
    assert_eq!(configuration, golden("configuration-10.1.xml"));
}

#[tokio::test]
async fn what_is_not_a_whole_configuration_is_an_error_that_quotes_none_of_it() {
    let export = |status: u16, body: Vec<u8>| async move {
        let (_, client) = client(move |_| reply(status, body.clone()));
        client
            .export_configuration()
            .await
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let whole = golden("configuration-10.1.xml");
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..][..16].fill(b'<');
    let table = [
        export(200, whole[..90].to_vec()).await,
        export(200, damaged).await,
        export(200, [whole.as_slice(), &whole].concat()).await,
        export(200, golden("error-unknown-command.xml")).await,
        export(403, golden("error-result-message.xml")).await,
        export(200, golden("empty-result.xml")).await,
        export(200, b"<html>login</html>".to_vec()).await,
        export(200, Vec::new()).await,
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    export the configuration on acme-fw1: the reply is not a PAN-OS reply: a configuration that is not whole, seen at byte 90 of 90
    export the configuration on acme-fw1: the reply is not a PAN-OS reply: a configuration that is not whole, seen at byte 136 of 136
    export the configuration on acme-fw1: the reply is not a PAN-OS reply: a configuration that is not whole, seen at byte 272 of 272
    export the configuration on acme-fw1: the device refused (code 17): show -> chassis-ready is unexpected
    export the configuration on acme-fw1: the login or key was not accepted: Invalid Credential
    export the configuration on acme-fw1: the reply cannot be understood: a success reply instead of a configuration
    export the configuration on acme-fw1: the reply is not a PAN-OS reply: an HTML page: <html>login</html>
    export the configuration on acme-fw1: the reply is not a PAN-OS reply: an empty body
    ");
    let inner = b"<config><secret>PRIVATE</secret><unfinished".to_vec();
    assert!(!export(200, inner).await.contains("PRIVATE"));
}

#[test]
fn a_configuration_is_known_by_its_first_element() {
    for yes in [
        "<config>",
        "<config version='1'>",
        "<?xml version='1.0'?>\n<config\n>",
        " \n<config>",
    ] {
        assert!(starts_as_configuration(yes.as_bytes()), "{yes}");
    }
    for no in [
        "",
        "<config",
        "<configuration>",
        "<response>",
        "<?xml <config>",
        "config",
    ] {
        assert!(!starts_as_configuration(no.as_bytes()), "{no}");
    }
}

mod damaged_replies {
    //! Every reader on every damaged golden reply: an answer or an error, never a panic.

    use proptest::prelude::*;

    use super::*;
    use crate::xml::read_reply;
    use crate::xml::tests::damaged;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn no_reader_panics(body in damaged()) {
            if let Ok(result) = read_reply(200, None, &body) {
                let _ = system::info(&result);
                let _ = system::yes_or_no(&result);
                let _ = system::locks(&result, LockKind::Configuration);
                let _ = software::images(&result);
                let _ = jobs::enqueued(&result);
                let _ = jobs::one(&result, JobId(1));
                let _ = jobs::list(&result);
                let _ = ha::state(&result);
                let _ = swm::partitions(&result);
                let _ = disk::disks(&result);
                let _ = optics::optics(&result);
            }
        }

        #[test]
        fn no_table_reader_panics_on_text(text in "[ -~\n\\u{e9}]{0,200}") {
            let result = crate::scripted::result_text(&text.replace("]]>", ""));
            let _ = swm::partitions(&result);
            let _ = disk::disks(&result);
            let _ = optics::optics(&result);
            let _ = system::yes_or_no(&result);
            let _ = crate::uptime::seconds(&text);
        }
    }
}
