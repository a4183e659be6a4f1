//! Measures views per second on one core, from the JPEGs in a folder. `scripts/benchmarks/views.py` compares with torchvision.
//!
//! ```text
//! cargo run --release -p vidpairs-learn --example views -- JPEG_DIR SIDE_PX NUM_VIEWS [RECIPE [KERNEL_PX]]
//! ```
//!
//! `RECIPE` is `moco-v1`, `moco-v2` (the default), `pirl-image`, `pirl-jigsaw` or `squash`. `KERNEL_PX` is the side of MoCo
//! v2's blur kernel, by default that of the recipe.

#![allow(clippy::print_stdout)] // prints its result

use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use vidpairs_learn::augment::{CropRecipe, JigsawRecipe, Recipe, Samples, StoredImage, Viewer};
use vidpairs_types::Seed;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: views JPEG_DIR SIDE_PX NUM_VIEWS [moco-v1|moco-v2|pirl-image|pirl-jigsaw|squash [KERNEL_PX]]";
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, side_px, num_views, rest @ ..] = arguments.as_slice() else {
        return Err(usage.into());
    };
    let (side_px, num_views): (u32, u64) = (side_px.parse()?, num_views.parse()?);
    let recipe = match rest.first().map_or("moco-v2", String::as_str) {
        "moco-v1" => CropRecipe::moco_v1(side_px).into(),
        "moco-v2" => {
            let mut crop = CropRecipe::moco_v2(side_px);
            if let (Some(blur), Some(kernel_px)) = (&mut crop.color.blur, rest.get(1)) {
                blur.kernel_px = kernel_px.parse()?;
            }
            crop.into()
        }
        "pirl-image" => CropRecipe::pirl_image(side_px).into(),
        "pirl-jigsaw" => JigsawRecipe::pirl(side_px).into(),
        "squash" => Recipe::Squash { side_px },
        _ => return Err(usage.into()),
    };
    let images = read_jpegs(Path::new(folder))?;
    let mut viewer = Viewer::default();
    let mut view = vec![0.0; recipe.num_values()];
    let start = Instant::now();
    for (record, jpeg) in (0..num_views).zip(images.iter().cycle()) {
        let seed = Seed::of_run(0).for_view(0, record, 0);
        let samples = Samples::F32(&mut view);
        viewer.render(StoredImage::Jpeg(jpeg), &recipe, seed, samples)?;
        std::hint::black_box(&view);
    }
    let per_second = num_views as f64 / start.elapsed().as_secs_f64();
    println!("vidpairs views_per_second={per_second:.0}");
    Ok(())
}

/// JPEGs in the order of their names, an order that other programs can reproduce.
fn read_jpegs(folder: &Path) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jpg"));
    paths.sort();
    if paths.is_empty() {
        return Err(format!("no .jpg in {}", folder.display()).into());
    }
    Ok(paths.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?)
}
