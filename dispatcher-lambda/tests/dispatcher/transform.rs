//! The real binary with routes that look at a field, a transform, a lookup file, and a destination for rejected records.

use crate::collector::Collector;
use crate::events::{List, payload};
use crate::requests::{batch, event};
use crate::runtime_api::{RuntimeApi, Told, bootstrap};
use std::path::Path;

fn settings(url: &str, folder: &Path) -> String {
    let (trucks, letters) = (folder.join("trucks.json"), folder.join("letters.ndjson"));
    std::fs::write(&trucks, "{\"BR00001\":{\"fleet\":\"north\",\"tier\":1.50}}").unwrap();
    format!(
        "[event_source]\nrejected = \"destination:letters\"
        [destinations.collector.http]\nurl = \"{url}\"
        [destinations.letters.file]\npath = \"{}\"
        [[routes]]\nfield = \"truck_id\"\nequals = [\"BR00001\", \"BR00002\"]\nrequired = [\"collector\"]
        [routes.transform]\nselect = [\"id\", \"truck_id\", \"speed\"]\nrename.id = \"event\"\nadd.source = \"comboio\"
        [routes.transform.enrich]\nfile = \"{}\"\nfield = \"truck_id\"\nmissing = \"reject\"
        [[routes]]\nfield = \"truck_id\"\nequals = [\"BR00003\"]\nrequired = [\"collector\"]\n",
        letters.display(),
        trucks.display()
    )
}

#[tokio::test]
async fn an_event_is_delivered_as_its_route_wants_it_and_known_by_what_it_was() {
    let (collector, folder) = (Collector::start(&[]).await, tempfile::tempdir().unwrap());
    let mut api = RuntimeApi::start().await;
    let config = settings(collector.url(), folder.path());
    let _child = bootstrap(&api.address, &[("COMBOIO_CONFIG", &config)]);
    assert_eq!(api.told().await, Told::Next);

    let values = [event("BR00001", 1), event("BR00002", 1), event("BR00003", 1), event("BR00004", 1)];
    api.invoke(batch(&values).request(1, None));
    let Told::Response(body) = api.told().await else { panic!("a response") };
    let response: domain::contract::Response = serde_json::from_str(&body).unwrap();
    let rejected = crate::requests::listed(&response.rejected);
    assert_eq!((response.delivered, rejected), (2, vec!["101:not-in-lookup".into(), "103:no-route".into()]));
    let made = r#"{"event":"t1-BR00001-300-1","truck_id":"BR00001","speed":82.4,"fleet":"north","tier":1.50,"source":"comboio"}"#;
    assert_eq!(collector.received()[0].lines, [made, &values[2]]);
    assert_eq!(api.told().await, Told::Next);

    // The same records by the other caller: seen before, and what is rejected has its destination.
    api.invoke(payload(&[List::new("mt-c400", 3, 100, &values)]));
    assert_eq!(api.told().await, Told::Response("{\"batchItemFailures\":[]}".to_owned()));
    assert_eq!(collector.received().len(), 1);
    let letters = std::fs::read_to_string(folder.path().join("letters.ndjson")).unwrap();
    let letters: Vec<serde_json::Value> = letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = letters.iter().map(|letter| (letter["id"].as_str(), letter["reason"].as_str())).collect();
    let want = [("mt-c400/3/101", "not-in-lookup"), ("mt-c400/3/103", "no-route")];
    assert_eq!(told, want.map(|(id, reason)| (Some(id), Some(reason))));
}

#[tokio::test]
async fn a_lookup_file_that_is_bad_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut api = RuntimeApi::start().await;
    let config = settings("http://127.0.0.1:1/", folder.path());
    std::fs::write(folder.path().join("trucks.json"), "{\"BR00001\":[]}").unwrap();
    let _child = bootstrap(&api.address, &[("COMBOIO_CONFIG", &config)]);
    let Told::InitError(body) = api.told().await else { panic!("an init error") };
    assert!(body.contains("routes[0].transform.enrich.file is `"), "{body}");
    assert!(body.contains("the entry of BR00001 is no JSON object"), "{body}");
}
