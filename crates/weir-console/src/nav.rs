//! The seven areas.

use crate::{
    cx::Cx,
    screens::{computers, deployments, infrastructure, overview, reports, settings, updates},
    texts::common as t,
    ui::icon::Icon,
};

/// An area of the rail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Area {
    /// Are we safe, what is in the way, what happens next.
    Overview,
    /// Updates, groups, exposure.
    Updates,
    /// Deployments, rules, windows.
    Deployments,
    /// Computers and collections.
    Computers,
    /// Reports and exports.
    Reports,
    /// Sites, synchronization, content, health.
    Infrastructure,
    /// What there is to set.
    Settings,
}

/// A page that the rail lists below its area.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its path.
    pub(crate) path: &'static str,
    /// Its name.
    pub(crate) label: String,
}

impl Entry {
    /// A page.
    pub(crate) fn new(path: &'static str, label: impl Into<String>) -> Self {
        Self { path, label: label.into() }
    }
}

impl Area {
    /// All, in the order of the rail.
    pub(crate) const ALL: [Self; 7] = [
        Self::Overview,
        Self::Updates,
        Self::Deployments,
        Self::Computers,
        Self::Reports,
        Self::Infrastructure,
        Self::Settings,
    ];

    /// The area that a path belongs to.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let first = path.split('/').nth(1).unwrap_or_default();
        Self::ALL.into_iter().find(|area| area.path().trim_start_matches('/') == first)
    }

    /// Where it begins.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Updates => "/updates",
            Self::Deployments => "/deployments",
            Self::Computers => "/computers",
            Self::Reports => "/reports",
            Self::Infrastructure => "/infrastructure",
            Self::Settings => "/settings",
        }
    }

    /// The letter that goes there after `g`.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Overview => "o",
            Self::Updates => "u",
            Self::Deployments => "d",
            Self::Computers => "c",
            Self::Reports => "r",
            Self::Infrastructure => "i",
            Self::Settings => "s",
        }
    }

    /// Its picture.
    pub(crate) fn icon(self) -> Icon {
        match self {
            Self::Overview => Icon::Gauge,
            Self::Updates => Icon::Package,
            Self::Deployments => Icon::Rollout,
            Self::Computers => Icon::Computer,
            Self::Reports => Icon::Chart,
            Self::Infrastructure => Icon::Server,
            Self::Settings => Icon::Sliders,
        }
    }

    /// Its name.
    pub(crate) fn label(self, cx: &Cx) -> &str {
        match self {
            Self::Overview => t::area_overview(cx),
            Self::Updates => t::area_updates(cx),
            Self::Deployments => t::area_deployments(cx),
            Self::Computers => t::area_computers(cx),
            Self::Reports => t::area_reports(cx),
            Self::Infrastructure => t::area_infrastructure(cx),
            Self::Settings => t::area_settings(cx),
        }
    }

    /// Its pages.
    pub(crate) fn entries(self, cx: &Cx) -> Vec<Entry> {
        match self {
            Self::Overview => overview::entries(cx),
            Self::Updates => updates::entries(cx),
            Self::Deployments => deployments::entries(cx),
            Self::Computers => computers::entries(cx),
            Self::Reports => reports::entries(cx),
            Self::Infrastructure => infrastructure::entries(cx),
            Self::Settings => settings::entries(cx),
        }
    }
}
