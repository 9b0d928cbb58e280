//! The client and the scanner against the registry of an embedded cluster.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::cluster::registry::{self, Limit, Pulls};
use foredeck::registry::credentials::Keyring;
use foredeck::registry::error::Why;
use foredeck::registry::local::Local;
use foredeck::registry::name::Name;
use foredeck::registry::scan::scanner::{Scanner, Settings, Wanted};
use foredeck::registry::{Image, Registry};
use tokio_util::sync::CancellationToken;

use crate::harness::cluster::PATIENCE;
use crate::harness::registry::{Raw, client, nobody};

async fn start(pulls: Pulls, limit: Option<Limit>) -> Embedded {
    let registry = registry::Config { pulls, limit, ..registry::Config::at(0) };
    Embedded::start(Config { registry: Some(registry), ..Config::default() }).await.expect("a cluster")
}

fn name(cluster: &Embedded, path: &str) -> Name {
    let host = cluster.registry().expect("a registry").address();
    Name::parse(&format!("{host}/{path}")).expect("a name")
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_images_are_told() {
    for pulls in [Pulls::Open, Pulls::Token] {
        let cluster = start(pulls, None).await;
        cluster.images().change(|images| {
            for number in 0..2_500 {
                images.publish("many/tags", &format!("t{number:04}"), jiff::Timestamp::UNIX_EPOCH);
            }
        });
        let client = client();
        let tags = client.tags(&name(&cluster, "many/tags"), &nobody()).await.expect("tags");
        assert_eq!((tags.len(), tags.first().map(String::as_str)), (2_500, Some("t0000")));
        let podinfo = name(&cluster, "stefanprodan/podinfo");
        let image = client.image(&podinfo, "6.1.0", &nobody()).await.expect("an image");
        let expected = cluster.images().look().manifest("stefanprodan/podinfo", "6.1.0").expect("a manifest");
        assert_eq!((&image.digest, &image.id), (&expected.digest, &expected.config_digest));
        assert_eq!(image.created.map(jiff::Timestamp::as_second), Some(expected.created.as_second()));
        assert_eq!(image.labels["org.opencontainers.image.version"], "6.1.0");
        assert_eq!(client.digest(&podinfo, "6.1.0", &nobody()).await.expect("a digest"), expected.digest);
        let why = client.tags(&name(&cluster, "no/such"), &nobody()).await.expect_err("there is none").why;
        assert_eq!(why, Why::NoRepository);
        let why = client.image(&podinfo, "none", &nobody()).await.expect_err("there is none").why;
        assert_eq!(why, Why::NoImage);
        cluster.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_ones_want_a_password() {
    let cluster = start(Pulls::Login, None).await;
    let (client, nginx) = (client(), name(&cluster, "nginx"));
    let error = client.tags(&nginx, &nobody()).await.expect_err("it is private");
    assert_eq!(error.why, Why::NoCredentials);
    assert!(error.to_string().contains("unauthorized"), "{error}");
    let keyring = Keyring::parse(&cluster.registry().expect("a registry").docker_config()).expect("a keyring");
    assert!(client.tags(&nginx, &keyring).await.is_ok());
    assert_eq!(client.tags(&nginx, &nobody()).await.expect_err("a pass is one's own").why, Why::NoCredentials);
    let host = nginx.host();
    let wrong = Keyring::parse(&format!(r#"{{"auths": {{"{host}": {{"auth": "eDp5"}}}}}}"#)).expect("a keyring");
    assert_eq!(client.tags(&nginx, &wrong).await.expect_err("the password is wrong").why, Why::Unauthorized);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_registry_is_left_alone() {
    let limit = Limit { requests: 1, every: Duration::from_secs(3600) };
    let cluster = start(Pulls::Open, Some(limit)).await;
    let (client, nginx) = (client(), name(&cluster, "nginx"));
    assert!(client.tags(&nginx, &nobody()).await.is_ok());
    let error = client.tags(&nginx, &nobody()).await.expect_err("it is too much");
    let Why::RateLimited { until } = error.why else { panic!("{error}") };
    let left = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((3500..=3601).contains(&left), "{left}");
    // Not asked again: the time would be another one.
    assert_eq!(client.tags(&nginx, &nobody()).await.expect_err("it is left alone").why, Why::RateLimited { until });
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_frees_the_port_and_a_port_in_use_is_said() {
    let cluster = start(Pulls::Open, None).await;
    let port = cluster.registry().expect("a registry").address().port();
    let config = || Config { registry: Some(registry::Config::at(port)), ..Config::default() };
    let error = Embedded::start(config()).await.expect_err("the port is in use").to_string();
    assert!(error.contains(&port.to_string()) && error.contains("--registry"), "{error}");
    cluster.stop().await;
    let again = Embedded::start(config()).await.expect("the port is free");
    assert_eq!(again.registry_url(), Some(format!("http://127.0.0.1:{port}")));
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_can_be_read_and_is_news() {
    let cluster = start(Pulls::Open, None).await;
    let images = cluster.images().clone();
    let (tags, tagged) = (images.clone(), images.clone());
    let local = Local::new(
        true,
        images.follow(),
        move |name| {
            let images = tags.look();
            let repository = images.repository(&name.to_string())?;
            Some(repository.tags.iter().map(|tag| tag.name.clone()).collect())
        },
        move |name, wanted| {
            let images = tagged.look();
            let repository = images.repository(&name.to_string())?;
            let tag = repository.tags.iter().find(|tag| tag.name == wanted)?;
            let digest = tag.pushed.clone().unwrap_or_default();
            Some(Image { digest, created: Some(tag.created), ..Image::default() })
        },
    );
    let changes = vec![local.changes()];
    let registries: Vec<Arc<dyn Registry>> = vec![Arc::new(local)];
    let (scanner, handle) = Scanner::new(registries, changes, Settings::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(scanner.run(stop.clone()));
    let mut news = handle.news();
    handle.want(Wanted::from([(Name::parse("team/app").expect("a name"), Keyring::default())]));

    let hosted = cluster.registry().expect("a registry");
    let mut raw = Raw::new(hosted.url());
    let first = raw.push(hosted, "team/app", "v1", "2024-01-01T00:00:00Z").await;
    let told = tokio::time::timeout(PATIENCE, news.recv()).await.expect("news come").expect("news");
    assert_eq!((told.image.as_str(), told.added), ("index.docker.io/team/app", vec!["v1".to_owned()]));
    let second = raw.push(hosted, "team/app", "v1", "2025-01-01T00:00:00Z").await;
    let told = tokio::time::timeout(PATIENCE, news.recv()).await.expect("news come").expect("news");
    assert_eq!(told.moved, ["v1"]);

    let client = client();
    let image = client.image(&name(&cluster, "team/app"), "v1", &nobody()).await.expect("an image");
    assert_eq!((image.digest, image.created), (second, "2025-01-01T00:00:00Z".parse().ok()));
    let old = raw.ask(Method::HEAD, &format!("/v2/team/app/manifests/{first}"), "", "").await;
    assert_eq!((old.status, old.body.len()), (200, 0));
    assert!(old.header("content-length").parse::<usize>().is_ok_and(|length| length > 100));
    stop.cancel();
    running.await.expect("it ends");
    cluster.stop().await;
}
