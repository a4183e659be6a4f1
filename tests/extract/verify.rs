//! Damage that `vidpairs verify` finds in a data set as a whole.

use std::fs;

use serde_json::json;
use vidpairs_fixtures::extract::media::h264;
use vidpairs_fixtures::extract::{Work, dataset};

#[test]
fn pairs_in_two_shards_are_damage() {
    let work = Work::new(
        "[source]\nkind = 'videos'\n[pairs]\nkind = 'frames'\nk = 10\n\
         [images]\nshort_side = 32\n",
    );
    h264(&work.path("clips/a.mp4"), "64x48", 40);
    work.extract("out").run_well();
    assert_eq!(work.verify("out").code, Some(0));

    // A second shard with the same records, listed in the manifest.
    let out = work.path("out");
    for extension in ["tar", "idx"] {
        let shard = |number| out.join(format!("pairs-{number:06}.{extension}"));
        fs::copy(shard(0), shard(1)).unwrap();
    }
    let mut manifest = dataset::manifest(&out);
    let mut twin = manifest["shards"][0].clone();
    twin["file"] = json!("pairs-000001.tar");
    manifest["shards"].as_array_mut().unwrap().push(twin);
    for total in ["records", "shards", "bytes"] {
        manifest["totals"][total] = json!(2 * manifest["totals"][total].as_u64().unwrap());
    }
    fs::write(out.join("dataset.json"), manifest.to_string()).unwrap();

    let ran = work.verify("out");
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    let words = "pairs-000001.tar: repeats pairs of clip 00000000: it has them from 0000, an earlier \
                 shard up to 0003";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
}
