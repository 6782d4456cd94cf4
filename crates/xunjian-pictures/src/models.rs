//! The models, loaded once, when the first picture is read.

use std::sync::{Arc, OnceLock};

use rten::{Model, ModelOptions, RunOptions, ThreadPool};

use crate::Unread;

/// Name of the models: readings by others are made anew. Change it with the files.
pub const MODEL: &str = "ppocr6s-w8";

/// Finds lines: PP-OCRv6 small detector, weights as int8 (`models/README.md`).
const DETECTOR: &[u8] = include_bytes!("../models/detector.onnx");
/// Reads lines: PP-OCRv6 small recogniser, weights as int8, classes cut down.
const READER: &[u8] = include_bytes!("../models/reader.onnx");
/// Its classes, a line each, without the blank at the beginning and the space at the end.
const CHARACTERS: &str = include_str!("../models/characters.txt");

/// Both models and what they need to run.
pub(crate) struct Models {
    pub(crate) detector: Model,
    pub(crate) reader: Model,
    /// Characters by class; class 0 stands for none.
    pub(crate) characters: Vec<&'static str>,
}

thread_local! {
    /// Where the models run: many pictures are read at once, so each has one thread.
    static ONE_THREAD: Arc<ThreadPool> = Arc::new(ThreadPool::with_num_threads(1));
}

impl Models {
    fn load() -> Result<Self, String> {
        let load = |bytes: &'static [u8]| {
            let mut options = ModelOptions::with_all_ops();
            options.prepack_weights(false);
            options.load_static_slice(bytes).map_err(|error| error.to_string())
        };
        let characters = std::iter::once("").chain(CHARACTERS.trim_end_matches('\n').split('\n'));
        Ok(Self {
            detector: load(DETECTOR)?,
            reader: load(READER)?,
            characters: characters.chain(std::iter::once(" ")).collect(),
        })
    }
}

/// How a picture's thread runs them.
pub(crate) fn options() -> Option<RunOptions> {
    Some(RunOptions::default().with_thread_pool(Some(ONE_THREAD.with(Arc::clone))))
}

/// The models.
pub(crate) fn loaded() -> Result<&'static Models, Unread> {
    static MODELS: OnceLock<Result<Models, String>> = OnceLock::new();
    MODELS.get_or_init(Models::load).as_ref().map_err(|error| Unread::Failed(error.clone()))
}
