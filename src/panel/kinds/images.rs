//! `images`: the tags of what runs, and the one that would be chosen.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;

use super::table::said;
use super::{max, namespace};
use crate::deck::PanelSpec;
use crate::gitops::image::choose::{Choice, choose};
use crate::gitops::image::pattern::{Pattern, Tag};
use crate::gitops::image::reference::ImageRef;
use crate::gitops::policy::Policies;
use crate::panel::output::Output;
use crate::panel::state::{Body, Mark, Row, Table};
use crate::sandbox::Sandbox;

/// New tags are looked for so often.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let Some(embedded) = sandbox.embedded() else {
        return "tags are known of the embedded cluster's images only".to_owned();
    };
    let images = embedded.images().clone();
    let api: Api<Deployment> = Api::namespaced(sandbox.client.clone(), namespace(spec));
    let changes: Api<PartialObjectMeta<Deployment>> = Api::namespaced(sandbox.client.clone(), namespace(spec));
    let mut news = watcher::watcher(changes, watcher::Config::default()).boxed();
    let mut tick = tokio::time::interval(LOOK);
    loop {
        let list = match api.list(&ListParams::default().limit(200)).await {
            Ok(list) => list,
            Err(error) => return said(&error),
        };
        let fits = |deployment: &&Deployment| {
            spec.get("workload").is_none_or(|name| deployment.metadata.name.as_deref() == Some(name))
        };
        let tags = |image: &ImageRef| {
            let look = images.look();
            let repository = look.repository(&image.canonical_name())?;
            let known = repository.tags.iter().map(|tag| Tag { tag: tag.name.clone(), created: Some(tag.created) });
            Some(known.collect::<Vec<Tag>>())
        };
        let rows: Vec<Row> =
            list.items.iter().filter(fits).flat_map(|deployment| rows(deployment, spec, tags)).collect();
        let columns = ["WORKLOAD", "IMAGE", "RUNS", "FILTER", "WOULD RUN"].map(str::to_owned).to_vec();
        let more = rows.len().saturating_sub(max(spec));
        let rows = rows.into_iter().take(max(spec)).collect();
        output.show(Body::Table(Table { columns, rows, more, empty: "No deployments yet.".to_owned() }));
        tokio::select! {
            _ = tick.tick() => {}
            event = news.next() => match event {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error.to_string(),
                None => return "watching ended".to_owned(),
            },
        }
    }
}

fn rows(deployment: &Deployment, spec: &PanelSpec, tags: impl Fn(&ImageRef) -> Option<Vec<Tag>>) -> Vec<Row> {
    let name = deployment.metadata.name.clone().unwrap_or_default();
    let annotations = deployment.metadata.annotations.clone().unwrap_or_default();
    let policies = Policies::from_annotations(annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let pod = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let containers = pod.map(|pod| pod.containers.as_slice()).unwrap_or_default();
    let one = |container: &k8s_openapi::api::core::v1::Container| {
        let image = ImageRef::parse(container.image.as_deref()?).ok()?;
        if spec.get("image").is_some_and(|wanted| !image.canonical_name().ends_with(wanted)) {
            return None;
        }
        let filter: Pattern = policies.filter(&container.name);
        let (would, mark) = match tags(&image) {
            None => ("unknown image".to_owned(), Mark::Off),
            Some(known) => {
                let listed: Vec<String> = known.iter().map(|tag| tag.tag.clone()).collect();
                match choose(&filter, &image.tag, &listed, &known).choice {
                    Choice::Update(tag) => (tag, Mark::Busy),
                    _ => (image.tag.clone(), Mark::Good),
                }
            }
        };
        let key = format!("{name}/{}", container.name);
        let repository = image.canonical_name();
        let cells = vec![key.clone(), repository, image.tag, filter.to_string(), would];
        Some(Row { key, cells, mark, group: None })
    };
    containers.iter().filter_map(one).collect()
}
