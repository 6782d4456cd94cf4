//! Text models: `models/<name>.model`, logistic regression over hashed n-grams.
//!
//! A text file: a first line that names the format, `key: value` lines, a blank line and
//! the weights, one signed byte a bucket, in base64. The lines that detection does not
//! need are the model's card.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Gram, Grams, PackError, Shape};

/// First line of a model file.
const FORMAT: &str = "xunjian text model 1";
/// Keys of the card, each any number of times.
const CARD: &[&str] = &["label", "method", "data", "figures", "limits"];
/// No trained number is near this size; beyond it sums would overflow.
const LARGEST: f64 = 1e6;
/// Characters of a line of weights.
const LINE: usize = 100;

/// A trained text model.
#[derive(Debug, Clone, PartialEq)]
pub struct TextModel {
    /// Its name: that of its file.
    pub name: String,
    /// How it reads a text.
    pub shape: Shape,
    /// Log-odds of a text without a known n-gram.
    pub bias: f64,
    /// What a weight of one stands for.
    pub scale: f64,
    /// The card: what it was trained on, how well it does, where it fails.
    pub card: Vec<(String, String)>,
    weights: Vec<i8>,
}

impl TextModel {
    /// Rounds weights to signed bytes. Buckets that `weights` lacks weigh nothing.
    #[must_use]
    pub fn new(name: &str, shape: Shape, bias: f64, weights: &[f64], card: Vec<(String, String)>) -> Self {
        let largest = weights.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
        let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        let mut bytes: Vec<i8> = weights.iter().map(|w| (w / scale).round() as i8).collect();
        bytes.resize(shape.buckets(), 0);
        Self { name: name.into(), shape, bias, scale, card, weights: bytes }
    }

    /// Log-odds that the label holds for a text.
    #[must_use]
    pub fn log_odds(&self, grams: &Grams) -> f64 {
        let share = |gram: &Gram| self.weights.get(gram.bucket as usize).map_or(0.0, |&w| f32::from(w) * gram.value);
        self.of_sum(grams.list.iter().map(share).sum())
    }

    /// Log-odds of a text whose n-grams add up to this, in units of [`TextModel::scale`].
    #[must_use]
    pub fn of_sum(&self, sum: f32) -> f64 {
        self.bias + self.scale * f64::from(sum)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, PackError> {
        Reader { file, text }.model()
    }

    /// The model as a file that [`TextModel::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Shape { min, max, bits } = self.shape;
        let mut out = format!(
            "{FORMAT}\nname: {}\nngrams: {min}-{max}\nbits: {bits}\nbias: {}\nscale: {}\n",
            self.name, self.bias, self.scale
        );
        for (key, value) in &self.card {
            out.push_str(&format!("{key}: {}\n", value.replace(['\n', '\r'], " ")));
        }
        let bytes: Vec<u8> = self.weights.iter().map(|&w| w.cast_unsigned()).collect();
        for line in STANDARD.encode(bytes).as_bytes().chunks(LINE) {
            out.push('\n');
            out.extend(line.iter().map(|&byte| char::from(byte)));
        }
        out.push('\n');
        out
    }
}

/// Models of one panel, at most.
const SEATS: usize = 4;

/// Models that read texts alike, their weights side by side: an n-gram is looked up once for all.
#[derive(Debug, Clone)]
pub struct Panel {
    /// How they read.
    pub shape: Shape,
    /// The models.
    pub models: Vec<TextModel>,
    /// By bucket, the weight of each; 0 where nobody sits.
    weights: Vec<[i8; SEATS]>,
}

/// What the n-grams of a text say to each model of a panel, in units of its scale.
#[derive(Debug)]
pub struct Shares {
    list: Vec<[f32; SEATS]>,
    sums: [f32; SEATS],
}

impl Shares {
    /// What each n-gram says to the model of this seat, in their order.
    pub fn of(&self, seat: usize) -> impl Iterator<Item = f32> {
        self.list.iter().map(move |share| share[seat])
    }

    /// What they say together.
    #[must_use]
    pub const fn sum(&self, seat: usize) -> f32 {
        self.sums[seat]
    }
}

impl Panel {
    /// Seats every model with those of its shape.
    #[must_use]
    pub fn of(models: impl IntoIterator<Item = TextModel>) -> Vec<Self> {
        let mut panels: Vec<Self> = Vec::new();
        for model in models {
            let has_seat = |panel: &&mut Self| panel.shape == model.shape && panel.models.len() < SEATS;
            match panels.iter_mut().find(has_seat) {
                Some(panel) => panel.seat(model),
                None => {
                    let weights = vec![[0; SEATS]; model.shape.buckets()];
                    let mut panel = Self { shape: model.shape, models: Vec::new(), weights };
                    panel.seat(model);
                    panels.push(panel);
                }
            }
        }
        panels
    }

    fn seat(&mut self, model: TextModel) {
        let seat = self.models.len();
        self.weights.iter_mut().zip(&model.weights).for_each(|(weights, &weight)| weights[seat] = weight);
        self.models.push(model);
    }

    /// Reads a text with every model.
    #[must_use]
    pub fn shares(&self, grams: &Grams) -> Shares {
        let mut sums = [0.0; SEATS];
        let share = |gram: &Gram| {
            let weights = self.weights.get(gram.bucket as usize).copied().unwrap_or_default();
            let share = weights.map(|weight| f32::from(weight) * gram.value);
            sums.iter_mut().zip(share).for_each(|(sum, share)| *sum += share);
            share
        };
        let list = grams.list.iter().map(share).collect();
        Shares { list, sums }
    }
}

/// A model file while it is read.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

/// The header lines that detection needs.
#[derive(Default)]
struct Header {
    name: Option<String>,
    ngrams: Option<(usize, usize)>,
    bits: Option<u32>,
    bias: Option<f64>,
    scale: Option<f64>,
    card: Vec<(String, String)>,
}

impl Reader<'_> {
    fn fault<T>(&self, offset: usize, message: impl Into<String>) -> Result<T, PackError> {
        Err(PackError::at(self.file, self.text, offset, message))
    }

    fn model(&self) -> Result<TextModel, PackError> {
        let Some((head, body)) = self.text.split_once("\n\n") else {
            return self.fault(0, "no blank line between the header and the weights");
        };
        let header = self.header(head)?;
        let (Some(name), Some((min, max)), Some(bits), Some(bias), Some(scale)) =
            (header.name, header.ngrams, header.bits, header.bias, header.scale)
        else {
            return self.fault(0, "the header lacks one of name, ngrams, bits, bias, scale");
        };
        let shape = Shape { min, max, bits };
        if !shape.is_sound() {
            let (len, low, high) = (Shape::MAX_LEN, Shape::MIN_BITS, Shape::MAX_BITS);
            return self.fault(0, format!("ngrams must lie in 1-{len} and bits in {low}-{high}"));
        }
        let stem = self.file.rsplit('/').next().unwrap_or(self.file).trim_end_matches(".model");
        if name != stem {
            return self.fault(0, format!("the name is `{name}`, the file's `{stem}`: make them one"));
        }
        let weights = self.weights(body, head.len() + 2, shape.buckets())?;
        Ok(TextModel { name, shape, bias, scale, card: header.card, weights })
    }

    fn header(&self, head: &str) -> Result<Header, PackError> {
        let mut header = Header::default();
        let mut offset = 0;
        for (index, line) in head.split('\n').enumerate() {
            if index == 0 && line != FORMAT {
                return self.fault(0, format!("the first line must be `{FORMAT}`"));
            }
            if index > 0 {
                self.header_line(line, offset, &mut header)?;
            }
            offset += line.len() + 1;
        }
        Ok(header)
    }

    fn header_line(&self, line: &str, offset: usize, header: &mut Header) -> Result<(), PackError> {
        let Some((key, value)) = line.split_once(": ") else {
            return self.fault(offset, "not a `key: value` line");
        };
        let number = || value.parse().ok().filter(|n: &f64| n.abs() <= LARGEST);
        let is_fresh = match key {
            "name" => header.name.replace(value.into()).is_none(),
            "ngrams" => {
                let range = value.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                range.is_some() && std::mem::replace(&mut header.ngrams, range).is_none()
            }
            "bits" => value.parse().is_ok_and(|bits| header.bits.replace(bits).is_none()),
            "bias" => number().is_some_and(|n| header.bias.replace(n).is_none()),
            "scale" => number().is_some_and(|n| n > 0.0 && header.scale.replace(n).is_none()),
            key if CARD.contains(&key) => {
                header.card.push((key.into(), value.into()));
                true
            }
            _ => return self.fault(offset, format!("no key `{key}`")),
        };
        if is_fresh {
            Ok(())
        } else {
            self.fault(offset, format!("`{key}` stands here twice, or `{value}` is no value for it"))
        }
    }

    fn weights(&self, body: &str, offset: usize, buckets: usize) -> Result<Vec<i8>, PackError> {
        let expected = buckets.div_ceil(3) * 4;
        let lines = body.lines().map(str::trim);
        if lines.clone().map(str::len).sum::<usize>() != expected {
            return self.fault(offset, format!("the weights must be {expected} characters of base64"));
        }
        let joined: String = lines.collect();
        match STANDARD.decode(joined) {
            Ok(bytes) if bytes.len() == buckets => Ok(bytes.into_iter().map(u8::cast_signed).collect()),
            Ok(_) => self.fault(offset, format!("there must be {buckets} weights")),
            Err(error) => self.fault(offset, format!("the weights are no base64: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: Shape = Shape { min: 1, max: 2, bits: 8 };

    fn small() -> TextModel {
        let weights: Vec<f64> = (0..256).map(|i| f64::from(i) / 100.0 - 1.0).collect();
        TextModel::new("small", SHAPE, -0.5, &weights, vec![("data".into(), "ours".into())])
    }

    #[test]
    fn what_is_written_is_read() {
        let model = small();
        assert_eq!(TextModel::parse("models/small.model", &model.to_text()).unwrap(), model);
    }

    #[test]
    fn shares_add_up_to_the_log_odds() {
        let model = small();
        let grams = Grams::of("小学数学同步练习", SHAPE);
        let panels = Panel::of([model.clone()]);
        let sum: f64 = panels[0].shares(&grams).of(0).map(|share| model.scale * f64::from(share)).sum();
        assert!((model.log_odds(&grams) - model.bias - sum).abs() < 1e-4);
    }

    #[test]
    fn a_panel_says_what_its_models_say() {
        let models: Vec<TextModel> = (1..=6)
            .map(|weight| TextModel { name: weight.to_string(), weights: vec![weight; 256], ..small() })
            .collect();
        let grams = Grams::of("小学数学同步练习", SHAPE);
        let panels = Panel::of(models);
        assert_eq!(panels.len(), 2, "four seats, then two");
        for panel in panels {
            let shares = panel.shares(&grams);
            for (seat, model) in panel.models.iter().enumerate() {
                assert_eq!(model.of_sum(shares.sum(seat)).to_bits(), model.log_odds(&grams).to_bits());
            }
        }
    }

    #[test]
    fn faults_name_their_line() {
        let text = small().to_text();
        let line_of = |text: &str| TextModel::parse("models/small.model", text).unwrap_err().line;
        assert_eq!(line_of(&text.replace("bits: 8", "bits: x")), 4);
        assert_eq!(line_of(&text.replace("data: ours", "date: today")), 7);
        assert_eq!(line_of(&text.replace("bias: -0.5", "bias: NaN")), 5);
        assert_eq!(line_of(&text.replace("data: ours", "bits: 8")), 7);
        assert_eq!(line_of(&text[..text.len() - 9]), 9);
        assert!(TextModel::parse("models/other.model", &text).is_err());
        assert!(TextModel::parse("models/small.model", &text.replace("bits: 8", "bits: 60")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
            let _ = TextModel::parse("models/small.model", &text);
        }

        #[test]
        fn no_damage_makes_the_reader_panic(at in 0_usize..500, with in "[ -~\n]{0,6}", cut in 0_usize..20) {
            let mut text = small().to_text();
            let at = at.min(text.len());
            let end = (at + cut).min(text.len());
            text.replace_range(at..end, &with);
            let _ = TextModel::parse("models/small.model", &text);
        }
    }
}
