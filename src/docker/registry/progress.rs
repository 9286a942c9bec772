//! How the layers of an image come, in few lines: the engine reports every layer many times a second.

use std::collections::BTreeMap;
use std::time::Instant;

use bollard::models::CreateImageInfo;

use crate::docker::upload::megabytes;

/// The state between two reports.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    layers: BTreeMap<String, Layer>,
    told: Option<String>,
}

#[derive(Debug, Default)]
struct Layer {
    loaded: u64,
    total: u64,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Coming,
    Loaded,
    Here,
    WasHere,
}

impl Progress {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            layers: BTreeMap::new(),
            told: None,
        }
    }

    /// Takes in a report. Those that are of no layer are said better elsewhere.
    pub(super) fn take_in(&mut self, report: CreateImageInfo) {
        let (Some(id), Some(status)) = (report.id, report.status) else {
            return;
        };
        let state = match status.as_str() {
            "Pulling fs layer" | "Waiting" | "Downloading" | "Retrying" => State::Coming,
            "Verifying Checksum" | "Download complete" | "Extracting" => State::Loaded,
            "Pull complete" => State::Here,
            "Already exists" => State::WasHere,
            _ => return,
        };
        let layer = self.layers.entry(id).or_default();
        layer.state = state;
        let detail = report.progress_detail.unwrap_or_default();
        if let ("Downloading", Some(current)) = (status.as_str(), detail.current) {
            layer.loaded = u64::try_from(current).unwrap_or(0);
            layer.total = detail.total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0);
        } else if state != State::Coming {
            layer.loaded = layer.total.max(layer.loaded);
        }
    }

    /// Where it stands, when that is news.
    pub(super) fn line(&mut self) -> Option<String> {
        if self.layers.is_empty() {
            return None;
        }
        let is_here = |layer: &&Layer| matches!(layer.state, State::Here | State::WasHere);
        let here = self.layers.values().filter(is_here).count();
        let all = self.layers.len();
        let line = if here < all && self.layers.values().all(|layer| layer.state != State::Coming) {
            format!("Unpacking layers: {here} of {all} here")
        } else {
            let total: u64 = self.layers.values().map(|layer| layer.total).sum();
            format!(
                "Layers: {here} of {all} here, {} of {} loaded",
                megabytes(self.loaded()),
                megabytes(total.max(self.loaded()))
            )
        };
        if here == all || self.told.as_ref() == Some(&line) {
            return None;
        }
        self.told = Some(line.clone());
        Some(line)
    }

    /// What it came to.
    pub(super) fn last_line(&self, now: Instant) -> Option<String> {
        let new = self
            .layers
            .values()
            .filter(|layer| layer.state != State::WasHere)
            .count();
        let all = self.layers.len();
        if new == 0 {
            return (all > 0).then(|| format!("Pulled; all {all} layers were here already"));
        }
        let seconds = now.duration_since(self.began).as_secs_f64();
        Some(format!(
            "Pulled {new} of {all} layers, {}, in {seconds:.1} s",
            megabytes(self.loaded())
        ))
    }

    fn loaded(&self) -> u64 {
        self.layers.values().map(|layer| layer.loaded).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bollard::models::ProgressDetail;

    use super::*;

    fn report(id: &str, status: &str, detail: Option<(i64, i64)>) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: detail.map(|(current, total)| ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            ..CreateImageInfo::default()
        }
    }

    #[test]
    fn many_reports_become_few_lines() {
        let began = Instant::now();
        let mut progress = Progress::new(began);
        assert_eq!(progress.line(), None);
        progress.take_in(report("1.27", "Pulling from library/nginx", None));
        assert_eq!(progress.line(), None, "no layer");
        progress.take_in(report("a", "Already exists", None));
        progress.take_in(report("b", "Pulling fs layer", None));
        for loaded in 1..=50 {
            progress.take_in(report("b", "Downloading", Some((loaded * 100_000, 10_000_000))));
        }
        let line = progress.line().unwrap();
        assert_eq!(line, "Layers: 1 of 2 here, 5.0 MB of 10.0 MB loaded");
        assert_eq!(progress.line(), None, "no news");
        progress.take_in(report("b", "Extracting", Some((1, 10_000_000))));
        assert_eq!(progress.line().unwrap(), "Unpacking layers: 1 of 2 here");
        progress.take_in(report("b", "Pull complete", None));
        assert_eq!(progress.line(), None, "the last line says it");
        let last = progress.last_line(began + Duration::from_millis(1_500));
        assert_eq!(last.unwrap(), "Pulled 1 of 2 layers, 10.0 MB, in 1.5 s");
    }

    #[test]
    fn layers_that_were_here_are_told_in_one_line() {
        let mut progress = Progress::new(Instant::now());
        assert_eq!(progress.last_line(Instant::now()), None);
        progress.take_in(report("a", "Already exists", None));
        assert_eq!(progress.line(), None);
        let last = progress.last_line(Instant::now());
        assert_eq!(last.unwrap(), "Pulled; all 1 layers were here already");
    }
}
