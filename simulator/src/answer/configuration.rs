//! The configuration a device shows: as a whole, in parts, its locks, its state of commitment.
//!
//! The document is made up from the device's name and address. It holds a private key on purpose: what reads
//! configurations has to show that it keeps such things to itself.

use bytes::Bytes;
use http::Response;

use super::Scene;
use crate::device::Device;
use crate::reply::{self, Markup};

/// Looks like a key and is none: the text in it says so.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    U0lNVUxBVE9SLVBSSVZBVEUtS0VZLVRIQVQtTVVTVC1ORVZFUi1BUFBFQVItSU4tQS1MT0c=\n\
    -----END PRIVATE KEY-----";

const PHASH: &str = "$5$simulator$PASSWORD-HASH-THAT-MUST-NEVER-APPEAR-IN-A-LOG";

fn document(device: &Device) -> String {
    let system = system(device);
    let train = device.version().train();
    let inside = Markup::new()
        .element("mgt-config", |config| {
            config.element("users", |users| {
                users
                    .raw("<entry name=\"admin\">")
                    .leaf("phash", PHASH)
                    .raw("</entry>")
            })
        })
        .element("shared", |shared| {
            shared.element("certificate", |certificate| {
                certificate
                    .raw("<entry name=\"simulated\">")
                    .leaf("algorithm", "RSA")
                    .leaf("common-name", &device.name)
                    .leaf("private-key", PRIVATE_KEY)
                    .raw("</entry>")
            })
        })
        .element("devices", |devices| {
            devices
                .raw("<entry name=\"localhost.localdomain\">")
                .element("deviceconfig", |config| config.raw(&system))
                .raw("</entry>")
        })
        .into_string();
    format!(
        "<config version=\"{train}.0\" urldb=\"paloaltonetworks\" detail-version=\"{train}.0\">{inside}</config>"
    )
}

fn system(device: &Device) -> String {
    Markup::new()
        .element("system", |system| {
            system
                .leaf("hostname", &device.name)
                .leaf("ip-address", &device.address.to_string())
                .leaf("netmask", "255.255.255.0")
                .leaf("timezone", "UTC")
        })
        .into_string()
}

pub(super) fn export(scene: &Scene<'_>) -> Response<Bytes> {
    reply::file(
        "running-config.xml",
        format!("<?xml version=\"1.0\"?>\n{}", document(scene.device())),
    )
}

pub(super) fn running(scene: &Scene<'_>) -> Response<Bytes> {
    reply::success(Markup::new().raw(&document(scene.device())))
}

/// Two places are read by published clients; any other one holds nothing, which is code 7.
pub(super) fn get(scene: &Scene<'_>, xpath: &str) -> Response<Bytes> {
    if xpath.ends_with("/deviceconfig/system") {
        reply::success(Markup::new().raw(&system(scene.device())))
    } else if xpath.ends_with("/deviceconfig/system/update-schedule") {
        reply::success(Markup::new())
    } else {
        reply::error(7, "Object not present")
    }
}

pub(super) fn config_locks(scene: &Scene<'_>) -> Response<Bytes> {
    let holders = &scene.device().config_locks;
    let taken = scene.now().strftime("%Y/%m/%d %H:%M:%S").to_string();
    let locks = Markup::new().each(holders, |locks, holder| {
        let name = quick_xml::escape::escape(holder.as_str());
        locks
            .raw(&format!("<entry name=\"{name}\">"))
            .leaves(&[
                ("type", "shared"),
                ("name", ""),
                ("created", &taken),
                ("last-activity", ""),
                ("loggedin", "yes"),
                ("comment", ""),
            ])
            .raw("</entry>")
    });
    reply::success(Markup::new().element("config-locks", |inside| inside.raw(&locks.into_string())))
}

pub(super) fn pending(scene: &Scene<'_>) -> Response<Bytes> {
    reply::done(if scene.device().pending_changes {
        "yes"
    } else {
        "no"
    })
}
