//! Licences and support: what they are for, and their last day.

use jiff::civil::Date;

use super::Sight;
use crate::area::Area;
use crate::fault::UpdateServer;

#[derive(Debug, Clone)]
pub(crate) struct Licence {
    pub(crate) feature: String,
    pub(crate) description: String,
    /// `None` never ends.
    pub(crate) expires: Option<Date>,
    pub(crate) expired: bool,
}

/// Far enough for every run: a fleet file says otherwise where it matters.
const FAR: Date = Date::constant(2099, 12, 31);

impl Sight<'_> {
    fn today(&self) -> Date {
        self.now.to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    fn is_over(&self, last: Date) -> bool {
        last < self.today()
    }

    /// Last day of the support licence, without which the update server gives nothing. Where a fault has ended it, no
    /// source says when: the end of last year.
    pub(crate) fn support_ends(&self) -> Date {
        let written = self.given(|setup| setup.support_expires).unwrap_or(FAR);
        let refused = self.device.update_server(self.world, self.now) == Some(UpdateServer::NotEntitled);
        if refused && !self.is_over(written) {
            return self
                .today()
                .first_of_year()
                .saturating_sub(jiff::Span::new().days(1));
        }
        written
    }

    /// Whether the support licence that was bought has ended.
    pub(crate) fn support_is_over(&self) -> bool {
        let written = self.given(|setup| setup.support_expires);
        written.is_some_and(|last| self.is_over(last))
    }

    /// All licences, the support licence first. None while a fault keeps them away.
    pub(crate) fn licences(&self) -> Vec<Licence> {
        if !self.has_back(Area::Licences) {
            return Vec::new();
        }
        let one = |feature: &str, expires: Option<Date>| Licence {
            feature: feature.to_owned(),
            description: description(feature).to_owned(),
            expired: expires.is_some_and(|last| self.is_over(last)),
            expires,
        };
        let mut licences = vec![one("Premium", Some(self.support_ends()))];
        match self.given(|setup| setup.licences.as_ref()) {
            Some(given) => {
                licences.extend(given.iter().map(|licence| one(&licence.feature, licence.expires)));
            }
            None => {
                // What was bought: an upgrade changes no licence.
                let usual = ["Threat Prevention", "Advanced URL Filtering", "WildFire License"];
                licences.extend(usual.map(|feature| one(feature, Some(FAR))));
                if self.globalprotect_count() > 0 {
                    licences.push(one("GlobalProtect Gateway", Some(FAR)));
                }
                if self.is_virtual() {
                    licences.push(one("PA-VM", None));
                }
            }
        }
        licences
    }
}

fn description(feature: &str) -> &str {
    match feature {
        "Premium" => "24 x 7 phone support; advanced replacement hardware service",
        "Advanced URL Filtering" => "Palo Alto Networks Advanced URL License",
        "WildFire License" => "WildFire signature feed, integrated WildFire logs, WildFire API",
        "GlobalProtect Gateway" => "GlobalProtect Gateway License",
        "PA-VM" => "Standard VM-Series",
        other => other,
    }
}

/// `December 31, 2099`.
pub(crate) fn written(day: Date) -> String {
    day.strftime("%B %d, %Y").to_string()
}
