//! Three functions of C over Hugging Face's tokenizers: open a tokenizer.json, turn text into token ids, close.
//! src/model/tokenizer.c loads this library. No panic crosses into C.
use std::ffi::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;
use tokenizers::{Tokenizer, TruncationParams};

fn tell(to: *mut c_char, size: usize, what: &str) {
    let n = what.len().min(size.saturating_sub(1));
    if size > 0 {
        unsafe {
            std::ptr::copy_nonoverlapping(what.as_ptr(), to as *mut u8, n);
            *to.add(n) = 0;
        }
    }
}

fn open(json: &[u8], max_tokens: usize) -> Result<Tokenizer, String> {
    let mut t = Tokenizer::from_bytes(json).map_err(|e| e.to_string())?;
    let cut = TruncationParams { max_length: max_tokens, ..Default::default() };
    t.with_truncation(Some(cut)).map_err(|e| e.to_string())?;
    t.with_padding(None);
    Ok(t)
}

/// A tokenizer that gives at most max_tokens ids, or null and the reason in `error`. Free it with df_tokens_close.
#[no_mangle]
pub unsafe extern "C" fn df_tokens_open(json: *const u8, size: usize, max_tokens: usize, error: *mut c_char,
                                        error_size: usize) -> *mut Tokenizer {
    let json = slice::from_raw_parts(json, size);
    match catch_unwind(|| open(json, max_tokens)) {
        Ok(Ok(t)) => return Box::into_raw(Box::new(t)),
        Ok(Err(why)) => tell(error, error_size, &why),
        Err(_) => tell(error, error_size, "the tokenizers library gave up"),
    }
    std::ptr::null_mut()
}

/// Ids of the text with the tokenizer's own first and last ones, into ids[room]. Their number; -1: no ids. Thread-safe.
#[no_mangle]
pub unsafe extern "C" fn df_tokens_encode(t: *const Tokenizer, text: *const u8, size: usize, ids: *mut u32,
                                          room: usize) -> isize {
    let text = match std::str::from_utf8(slice::from_raw_parts(text, size)) {
        Ok(text) => text,
        Err(_) => return -1,
    };
    let t = AssertUnwindSafe(&*t);
    match catch_unwind(|| t.encode(text, true)) {
        Ok(Ok(e)) if e.get_ids().len() <= room => {
            std::ptr::copy_nonoverlapping(e.get_ids().as_ptr(), ids, e.get_ids().len());
            e.get_ids().len() as isize
        }
        _ => -1,
    }
}

#[no_mangle]
pub unsafe extern "C" fn df_tokens_close(t: *mut Tokenizer) {
    drop(Box::from_raw(t));
}
