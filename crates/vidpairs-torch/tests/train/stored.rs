//! Training on shards in an object store.

use std::fs;

use vidpairs_fixtures::s3::{Bucket, Fault, Proxy, Server};
use vidpairs_fixtures::train::{MOCO, Ran, Train, Work, metrics, signal};

fn uploaded() -> (Work, Bucket) {
    let (work, bucket) = (Work::new(MOCO), Bucket::new());
    fs::create_dir(work.path("up")).unwrap();
    fs::rename(work.path("shards"), work.path("up/my set")).unwrap();
    bucket.put_folder(&work.path("up"));
    fs::rename(work.path("up/my set"), work.path("shards")).unwrap();
    (work, bucket)
}

fn from_bucket(work: &Work, bucket: &Bucket, out: &str, proxy: Option<&Proxy>) -> Train {
    let train = work.train(out).replace("shards", &bucket.url("my set"));
    train
        .arg("--cache")
        .arg("cache")
        .variables(bucket.env(proxy))
}

#[test]
fn shards_in_a_bucket_train_as_shards_in_a_folder_and_are_fetched_once() {
    let (work, bucket) = uploaded();
    work.train("local").run_well();
    let proxy = Proxy::new(Server::shared().port());
    proxy.fail(".tar", Fault::CutBody(5000), 2);
    from_bucket(&work, &bucket, "stored", Some(&proxy)).run_well();
    let losses = |out: &str| -> Vec<_> {
        let lines = metrics(&work.path(out));
        lines.iter().map(|line| line["loss"].clone()).collect()
    };
    assert!(!losses("local").is_empty());
    assert_eq!(losses("stored"), losses("local"));
    let before = proxy.seen().len();
    from_bucket(&work, &bucket, "again", Some(&proxy)).run_well();
    let seen = proxy.seen();
    let further: Vec<_> = seen[before..]
        .iter()
        .filter(|line| !line.contains("dataset.json"))
        .collect();
    assert!(further.is_empty(), "{further:?}");
    let copies = fs::read_dir(work.path("cache")).unwrap().count();
    assert_eq!(copies, 1);
}

#[test]
fn a_shard_that_is_not_the_one_of_the_manifest_and_a_missing_cache_are_refused() {
    let (work, bucket) = uploaded();
    let train = from_bucket(&work, &bucket, "run", None);
    let mut without = train.clone();
    let at = without
        .args
        .iter()
        .position(|arg| arg == "--cache")
        .unwrap();
    without.args.drain(at..at + 2);
    without.run().failed_with(2, &["--cache", "my set"]);
    let shard = fs::read(work.path("shards/pairs-000000.tar")).unwrap();
    let mut flipped = shard.clone();
    flipped[shard.len() / 2] ^= 1;
    bucket.put("my%20set/pairs-000000.tar", &flipped);
    let words = [
        "my set/pairs-000000.tar is not the file that its dataset.json describes",
        "xxh64",
    ];
    train.run().failed_with(2, &words);
    bucket.put("my%20set/pairs-000000.tar", &shard);
    train.run_well();
    let nowhere = work
        .train("other")
        .replace("shards", &bucket.url("nowhere"));
    let nowhere = nowhere
        .arg("--cache")
        .arg("cache")
        .variables(bucket.env(None));
    nowhere
        .run()
        .failed_with(2, &["there is no object", "nowhere/dataset.json"]);
}

#[test]
fn a_fetch_that_is_killed_is_resumed() {
    let (work, bucket) = uploaded();
    let proxy = Proxy::new(Server::shared().port());
    let slow = Fault::Trickle(std::time::Duration::from_millis(5));
    proxy.fail("pairs-000001.tar", slow, usize::MAX);
    for how in ["KILL", "TERM"] {
        let child = from_bucket(&work, &bucket, "run", Some(&proxy)).spawn();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        signal(child.id(), how);
        let code = Ran::of(child).code;
        assert_eq!(code, (how == "TERM").then_some(130));
    }
    from_bucket(&work, &bucket, "run", None).run_well();
}
