//! Commits, locks, saved configurations and certificates made on the device: what stands between an edit and its
//! effect.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use jiff::{Span, Timestamp};

use super::{Ask, Scene};
use crate::config::Locks;
use crate::config::document::certificate_element;
use crate::operation::Operation;
use crate::reply::{self, Markup};
use crate::request::Command;
use crate::setup::{CertificateSpec, DigestKind, KeyKind};
use crate::staging::Refusal;
use crate::tree::Element;
use crate::wording;
use crate::xpath::XPath;

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::Commit => commit(scene, ask),
        Operation::PendingChanges => yes_or_no(scene.device().has_pending_changes()),
        // Only a changed setting of the whole device asks for that, and none here is one.
        Operation::FullCommitRequired => yes_or_no(false),
        Operation::ConfigLocks => locks("config-locks", &scene.device().config_locks),
        Operation::CommitLocks => locks("commit-locks", &scene.device().commit_locks),
        Operation::TakeConfigLock => take_config_lock(scene, ask),
        Operation::ReleaseConfigLock => {
            let released = scene.device_mut().config_locks.release(ask.user);
            released_or(
                released,
                wording::CONFIG_LOCK_RELEASED,
                wording::CONFIG_LOCK_MISSING,
            )
        }
        Operation::TakeCommitLock => take_commit_lock(scene, ask),
        Operation::ReleaseCommitLock => {
            let holder = ask.option("admin").unwrap_or(ask.user);
            let released = scene.device_mut().commit_locks.release(holder);
            released_or(
                released,
                wording::COMMIT_LOCK_RELEASED,
                wording::COMMIT_LOCK_MISSING,
            )
        }
        Operation::SaveConfig => save(scene, ask.name("to")),
        Operation::LoadConfig => load(scene, ask.name("from")),
        Operation::RevertConfig => {
            let running = scene.running_config();
            let device = scene.device_mut();
            device.pending_changes = false;
            device.replace_candidate(running.clone(), running);
            reply::done(wording::REVERTED)
        }
        Operation::GenerateCertificate => generate(scene, ask),
        Operation::RenewCertificate => renew(scene, ask),
        _ => return None,
    };
    Some(reply)
}

fn yes_or_no(is: bool) -> Response<Bytes> {
    reply::done(if is { "yes" } else { "no" })
}

fn commit(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    let force = ask.command.words.iter().any(|word| word == "force") || ask.option("force").is_some();
    match scene.device_mut().commit(world, ask.user, force, now) {
        Ok(Some(job)) => reply::enqueued(&wording::commit_enqueued(job), job),
        Ok(None) => reply::succeeded(19, wording::NOTHING_TO_COMMIT),
        Err(Refusal { code, text }) => reply::error(code, &text),
    }
}

fn locks(name: &str, locks: &Locks) -> Response<Bytes> {
    let day = |instant: Timestamp| instant.strftime("%Y/%m/%d %H:%M:%S").to_string();
    let entries = Markup::new().each(locks.holders(), |entries, (holder, lock)| {
        entries.entry(holder, |entry| {
            entry.leaves(&[
                ("type", "shared"),
                ("name", ""),
                ("created", &day(lock.since)),
                ("last-activity", ""),
                ("loggedin", "yes"),
                ("comment", &lock.comment),
            ])
        })
    });
    match entries.into_string() {
        none if none.is_empty() => reply::success(Markup::new().raw(&format!("<{name}/>"))),
        some => reply::success(Markup::new().element(name, |inside| inside.raw(&some))),
    }
}

fn released_or(released: bool, done: &str, missing: &str) -> Response<Bytes> {
    if released {
        reply::done(done)
    } else {
        reply::error(14, missing)
    }
}

fn take_config_lock(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let now = scene.now();
    let locks = &mut scene.device_mut().config_locks;
    if let Some(holder) = locks.held_by_another(ask.user) {
        let text = wording::config_lock_held(holder);
        return reply::error(14, &text);
    }
    if locks.holders().next().is_some() {
        return reply::error(14, wording::CONFIG_LOCK_OWNED);
    }
    locks.take(ask.user, now, ask.option("comment").unwrap_or_default());
    reply::done(wording::CONFIG_LOCK_TAKEN)
}

fn take_commit_lock(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let now = scene.now();
    let locks = &mut scene.device_mut().commit_locks;
    let held = locks
        .holders()
        .next()
        .map(|(holder, _)| wording::commit_lock_held(holder));
    if let Some(text) = held {
        return reply::error(14, &text);
    }
    locks.take(ask.user, now, ask.option("comment").unwrap_or_default());
    reply::done(wording::COMMIT_LOCK_TAKEN)
}

fn save(scene: &mut Scene<'_>, name: &str) -> Response<Bytes> {
    if name.is_empty() {
        return reply::error(17, "save -> config -> to is unexpected");
    }
    let running = scene.running_config();
    scene.device_mut().save_config(running, name);
    reply::done(&wording::config_saved(name))
}

fn load(scene: &mut Scene<'_>, name: &str) -> Response<Bytes> {
    let running = scene.running_config();
    match scene.device().saved_config(&running, name) {
        Some(document) => {
            scene.device_mut().replace_candidate(running, document);
            reply::done(&wording::config_loaded(name))
        }
        None => reply::error(7, &wording::no_such_file(name)),
    }
}

/// Name, key and digest of `request certificate generate`.
fn asked_certificate(command: &Command) -> CertificateSpec {
    let branch = &command.branch;
    let nbits = |path: &[&str]| branch.text_at(path).unwrap_or_default().to_owned();
    let rsa = nbits(&["algorithm", "RSA", "rsa-nbits"]);
    let ecdsa = nbits(&["algorithm", "ECDSA", "ecdsa-nbits"]);
    let text = |name: &str| command.option(name).map(|text| text.trim().to_owned());
    CertificateSpec {
        name: text("certificate-name").unwrap_or_default(),
        common_name: text("name"),
        key: match (rsa.as_str(), ecdsa.as_str()) {
            (_, "384") => KeyKind::Ecdsa384,
            (_, "256") => KeyKind::Ecdsa256,
            ("1024" | "512", _) => KeyKind::Rsa1024,
            ("4096" | "3072", _) => KeyKind::Rsa4096,
            _ => KeyKind::Rsa2048,
        },
        digest: match text("digest").as_deref() {
            Some("sha1") => DigestKind::Sha1,
            Some("sha384") => DigestKind::Sha384,
            Some("sha512") => DigestKind::Sha512,
            _ => DigestKind::Sha256,
        },
        expires: None,
    }
}

/// How long a certificate made on the device is valid, where nobody says so: the vendor's default.
const VALID_DAYS: i64 = 365;

/// Puts a certificate into the candidate, in the place of one with its name.
fn put(scene: &mut Scene<'_>, ask: &Ask<'_>, mut spec: CertificateSpec) {
    let now = scene.now();
    let days = ask
        .option("days-till-expiry")
        .and_then(|days| days.trim().parse::<i64>().ok())
        .map_or(VALID_DAYS, |days| days.clamp(1, 7300));
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    spec.expires = Some(today.saturating_add(Span::new().days(days)));
    // Another key each time: the instant is part of what it is drawn from.
    let index = now.as_second().unsigned_abs();
    let element = certificate_element(&scene.sight().certificate(&spec, index));
    let running = scene.running_config();
    let mut candidate = scene.candidate_config();
    let changed = Arc::make_mut(&mut candidate);
    if let Ok(path) = XPath::parse("/config/shared/certificate")
        && let Some(certificates) = path.make(changed)
    {
        let known = |one: &Element| one.attribute("name") == Some(&spec.name);
        certificates.children.retain(|one| !known(one));
        certificates.children.push(element);
    }
    scene.device_mut().replace_candidate(running, candidate);
}

fn generate(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let spec = asked_certificate(ask.command);
    if spec.name.is_empty() {
        return reply::error(17, "request -> certificate -> generate is unexpected");
    }
    let text = wording::certificate_made(&spec.name);
    put(scene, ask, spec);
    reply::done(&text)
}

/// A new certificate with the name, subject and kind of key of an old one.
fn renew(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let name = ask
        .option("certificate-name")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let candidate = scene.candidate_config();
    let known = candidate.at(&["shared", "certificate"]).and_then(|all| {
        all.children
            .iter()
            .find(|one| one.attribute("name") == Some(&name))
    });
    let Some(known) = known else {
        return reply::error(7, &wording::no_such_certificate(&name));
    };
    let spec = CertificateSpec {
        common_name: known.text_at(&["common-name"]).map(str::to_owned),
        key: match known.text_at(&["algorithm"]) {
            Some("EC") => KeyKind::Ecdsa256,
            _ => KeyKind::Rsa2048,
        },
        digest: DigestKind::Sha256,
        expires: None,
        name,
    };
    let text = wording::certificate_renewed(&spec.name);
    put(scene, ask, spec);
    reply::done(&text)
}
