//! 统一社会信用代码: 18 characters with a check character (GB 32100-2015).

/// Digits and letters without I, O, S, V, Z, in the order of their values.
const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Whether the check character fits: the weighted sum with weights 3ⁱ mod 31.
#[must_use]
pub fn is_credit_code(code: &str) -> bool {
    let bytes = code.as_bytes();
    if bytes.len() != 18 {
        return false;
    }
    let value = |byte: &u8| ALPHABET.iter().position(|a| a == byte);
    let mut sum = 0;
    let mut weight = 1;
    for byte in &bytes[..17] {
        let Some(value) = value(byte) else { return false };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    value(&bytes[17]) == Some((31 - sum % 31) % 31)
}

/// The valid codes that stand in a text.
#[must_use]
pub fn credit_codes(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_ascii_uppercase)
        .filter(|word| is_credit_code(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A code of our own making: the check character is computed by the standard's formula by hand.
    #[test]
    fn the_check_character_decides() {
        let body = "91110108MA01ABCD0";
        let valid: Vec<String> =
            ALPHABET.iter().map(|&c| format!("{body}{}", char::from(c))).filter(|code| is_credit_code(code)).collect();
        assert_eq!(valid.len(), 1, "one check character fits");
        assert_eq!(credit_codes(&format!("信用代码：{}。", valid[0])), valid);
        assert!(!is_credit_code("91110108MA01ABCDO9"), "O is no digit of it");
    }
}
