//! Measures the cost of a frame of a rendered video (one thread, 320 x 240, three objects in view), and of loading objects.
//!
//! Needs the objects of `scripts/fetch-objects.sh`; measures nothing without them.

use std::path::PathBuf;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_image::jpeg;
use vidpairs_synth::backdrops::{Backdrops, Frames};
use vidpairs_synth::catalog::{Catalog, Half};
use vidpairs_synth::mesh;
use vidpairs_synth::render::{Model, Renderer, Sensor};
use vidpairs_synth::scene::{Clock, Difficulty, Roles, Script};
use vidpairs_types::{Seed, SizePx};

const SIZE: SizePx = SizePx {
    width: 320,
    height: 240,
};
const CLOCK: Clock = Clock {
    num_frames: 90,
    fps: 30.0,
};
/// Number of videos, each of which contributes a frame to every iteration.
const NUM_VIDEOS: usize = 12;

struct Video {
    script: Script,
    models: Vec<Arc<Model>>,
    backdrop: Frames,
}

fn catalog() -> Option<Catalog> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")))?;
    Catalog::read(&[cache.join("vidpairs/objects")]).ok()
}

/// Videos of three objects each, spread over the catalogue, without an occluder.
fn videos(catalog: &Catalog) -> Vec<Video> {
    let difficulty = Difficulty {
        occlusion: 0.0,
        look_alikes: 0.0,
        ..Difficulty::default()
    };
    let selected = catalog.select(Some(Half::Training), &[]).objects;
    let step = selected.len() / (4 * NUM_VIDEOS);
    let mut models = selected
        .iter()
        .step_by(step)
        .filter_map(|object| Some(Arc::new(Model::new(mesh::load(object).ok()?))));
    let mut video = |number: usize| {
        let seed = Seed::of_run(1).for_step("bench", &number.to_string());
        let roles = Roles::draw(seed, &difficulty);
        let script = Script::write(seed, roles, &difficulty, SIZE, CLOCK);
        let models: Vec<Arc<Model>> = models.by_ref().take(roles.num_models()).collect();
        assert_eq!(models.len(), 3, "three objects in view");
        let (heartbeat, mut unreadable) = (Arc::default(), Vec::new());
        let backdrop = Backdrops::Painted.draw(seed, SIZE, 1, &heartbeat, &mut unreadable);
        Video {
            script,
            models,
            backdrop: backdrop.expect("painted"),
        }
    };
    (0..NUM_VIDEOS).map(&mut video).collect()
}

/// Renders a frame of every video, a different one in each iteration.
fn frames(c: &mut Criterion) {
    let Some(catalog) = catalog() else {
        return;
    };
    let videos = videos(&catalog);
    let mut renderer = Renderer::new(Script::camera(SIZE));
    let (sensor, mut rng) = (Sensor { noise: 2.0 }, Seed::of_run(2).rng());
    let mut group = c.benchmark_group("synth/frame_320x240_three_objects");
    group.throughput(Throughput::Elements(NUM_VIDEOS as u64)); // frames
    let mut frame = 0;
    let mut next = || {
        frame = (frame + 7) % CLOCK.num_frames;
        frame
    };
    group.bench_function("draw", |b| {
        b.iter(|| {
            let frame = next();
            for video in &videos {
                let (moments, samples) = video.script.exposure(frame, &video.models);
                let behind = video.backdrop.behind(frame, SIZE);
                renderer.draw(&moments, &behind, samples, &sensor, &mut rng);
            }
        });
    });
    group.bench_function("mask_of_the_target", |b| {
        b.iter(|| {
            let frame = next();
            for video in &videos {
                let seconds = video.script.seconds_of(frame);
                renderer.mask(&video.script.moment(seconds, &video.models), 0);
            }
        });
    });
    group.bench_function("draw_mask_and_jpeg", |b| {
        b.iter(|| {
            let frame = next();
            for video in &videos {
                let (moments, samples) = video.script.exposure(frame, &video.models);
                let behind = video.backdrop.behind(frame, SIZE);
                let image = renderer.draw(&moments, &behind, samples, &sensor, &mut rng);
                let seconds = video.script.seconds_of(frame);
                renderer.mask(&video.script.moment(seconds, &video.models), 0);
                jpeg::compress(&image, 90).expect("a rendered image is compressed");
            }
        });
    });
    group.finish();
}

/// Loads objects from their catalogue up to the renderable model.
fn load(c: &mut Criterion) {
    let Some(catalog) = catalog() else {
        return;
    };
    let objects: Vec<_> = catalog.objects.iter().step_by(41).collect();
    let mut group = c.benchmark_group("synth/load");
    group.sample_size(10);
    group.throughput(Throughput::Elements(objects.len() as u64)); // objects
    group.bench_function("twenty_objects", |b| {
        b.iter(|| {
            let models = objects
                .iter()
                .filter_map(|object| Some(Model::new(mesh::load(object).ok()?)));
            models.count()
        });
    });
    group.finish();
}

criterion_group!(benches, frames, load);
criterion_main!(benches);
