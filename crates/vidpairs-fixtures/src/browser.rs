//! Pages in a headless Chromium: what it draws, loads and reports.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::Value;

/// Widths at which a page is laid out, px: a telephone and a laptop.
const WIDTHS_PX: [u32; 2] = [400, 1280];

/// Time that Chromium may take for a page.
const LIMIT: Duration = Duration::from_secs(120);

/// Measures each frame, with its details folded and open. It does all at once when everything is loaded, since Chromium writes the
/// document right after that. The page is given as text, so that the script may look inside; media queries follow the width of the frame.
const PROBE: &str = r#"
addEventListener('load', () => {
  const verdict = [];
  for (const frame of document.querySelectorAll('iframe')) {
    const page = frame.contentDocument, root = page.documentElement;
    const measured = () => [root.scrollWidth, frame.contentWindow.innerWidth];
    const folded = measured();
    page.querySelectorAll('details').forEach((details) => { details.open = true; });
    const images = [...page.images];
    const wide = [...page.body.querySelectorAll('*')].filter((element) =>
      element.getBoundingClientRect().right > frame.contentWindow.innerWidth + 1
      && !element.closest('.scroll') && !element.closest('svg'));
    verdict.push({
      folded, open: measured(), images: images.length,
      broken: images.filter((image) => image.naturalWidth === 0).map((image) => image.alt),
      dark: frame.contentWindow.matchMedia('(prefers-color-scheme: dark)').matches,
      wide: wide.slice(0, 5).map((element) => `${element.tagName}.${element.getAttribute('class')}: ${element.textContent.slice(0, 40)}`),
    });
  }
  document.getElementById('verdict').textContent = JSON.stringify(verdict);
});
"#;

/// What Chromium found on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Number of images, all of which were shown.
    pub images: usize,
}

/// Asserts that `page` is shown without an error on the console, with every image, and no wider than its window: light and dark, at two
/// widths, with its details folded and open. `None` if there is no Chromium.
///
/// # Panics
/// If the page is not sound; if there is no Chromium and the variable `CI` is set.
#[track_caller]
pub fn assert_page_is_sound(page: &Path) -> Option<Seen> {
    let Some(chromium) = chromium() else {
        assert!(
            env::var_os("CI").is_none(),
            "there is no Chromium: install it, or name it in CHROMIUM"
        );
        eprintln!("left out: there is no Chromium; name one in CHROMIUM");
        return None;
    };
    // The end of loading does not wait for lazy images.
    let html = fs::read_to_string(page)
        .unwrap()
        .replace(" loading=\"lazy\"", "");
    let srcdoc = html.replace('&', "&amp;").replace('"', "&quot;");
    let frames = WIDTHS_PX.map(|width| {
        format!(
            "<iframe style=\"width:{width}px;height:800px;border:0\" srcdoc=\"{srcdoc}\"></iframe>"
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let outer = folder.path().join("probe.html");
    let frames = frames.concat();
    let text = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><script>{PROBE}</script>{frames}<pre id=\"verdict\"></pre>"
    );
    fs::write(&outer, text).unwrap();
    let mut seen = None;
    for is_dark in [false, true] {
        let verdict = verdict(&chromium, folder.path(), &outer, is_dark);
        for (frame, width) in verdict.as_array().unwrap().iter().zip(WIDTHS_PX) {
            let when = format!("{} at {width} px, dark: {is_dark}: {frame}", page.display());
            assert_eq!(frame["dark"], is_dark, "{when}");
            assert_eq!(frame["broken"], serde_json::json!([]), "{when}");
            assert_eq!(frame["wide"], serde_json::json!([]), "{when}");
            for state in ["folded", "open"] {
                let [content, window] =
                    [&frame[state][0], &frame[state][1]].map(|px| px.as_u64().unwrap());
                assert_eq!(window, u64::from(width), "{when}");
                assert!(content <= window, "wider than its window, {state}: {when}");
            }
            let images = frame["images"].as_u64().unwrap() as usize;
            seen = Some(Seen { images });
        }
        assert_eq!(verdict.as_array().unwrap().len(), WIDTHS_PX.len());
    }
    seen
}

/// Loads `outer`, and returns what its script found.
#[track_caller]
fn verdict(chromium: &Path, folder: &Path, outer: &Path, is_dark: bool) -> Value {
    let scheme = u8::from(!is_dark);
    // Files, since nobody reads pipes while Chromium is waited for.
    let [dom, console] = ["dom", "console"].map(|name| folder.join(name));
    let to_file = |path: &Path| Stdio::from(fs::File::create(path).unwrap());
    let mut running = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("file://{}", outer.display()))
        .stdin(Stdio::null())
        .stdout(to_file(&dom))
        .stderr(to_file(&console))
        .spawn()
        .unwrap();
    let deadline = Instant::now() + LIMIT;
    while running.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            running.kill().unwrap();
            running.wait().unwrap();
            let console = fs::read_to_string(&console).unwrap_or_default();
            panic!("Chromium did not end within {LIMIT:?}: {console}");
        }
        thread::sleep(Duration::from_millis(20));
    }
    let console = String::from_utf8_lossy(&fs::read(&console).unwrap()).into_owned();
    let errors: Vec<&str> = console
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let dom = fs::read_to_string(&dom).unwrap();
    let found = dom
        .rsplit_once("<pre id=\"verdict\">")
        .map(|(_, rest)| rest);
    let found = found
        .and_then(|rest| rest.split("</pre>").next())
        .unwrap_or_default();
    let json = found
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&json).unwrap_or_else(|_| panic!("Chromium did not finish: {console}"))
}

/// The program that `CHROMIUM` names, or one in `PATH`.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let files = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}
