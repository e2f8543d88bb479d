// SPDX-License-Identifier: MIT
// rust_contended: what contended.c does with --sleeps, with a std::sync::Mutex, which says nothing
// about who has it; the truth is in its shares only.
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

fn occupy(held: &mut Duration, milliseconds: u64) {
    let begin = Instant::now();
    thread::sleep(Duration::from_millis(milliseconds));
    *held += begin.elapsed();
}

#[inline(never)]
fn hold_long(lock: &Mutex<u64>, held: &mut Duration) {
    let mut guard = lock.lock().unwrap();
    occupy(held, 7);
    *guard += 1;
}

#[inline(never)]
fn hold_short(lock: &Mutex<u64>, held: &mut Duration) {
    let mut guard = lock.lock().unwrap();
    occupy(held, 3);
    *guard += 1;
}

#[inline(never)]
fn want(lock: &Mutex<u64>) {
    *lock.lock().unwrap() += 1;
}

fn main() {
    let lock = Arc::new(Mutex::new(0));
    let held = lock.clone();
    thread::spawn(move || {
        let (mut long, mut short) = (Duration::ZERO, Duration::ZERO);
        loop {
            if long * 3 <= short * 7 {
                hold_long(&held, &mut long);
            } else {
                hold_short(&held, &mut short);
            }
            thread::sleep(Duration::from_micros(300));
        }
    });
    for _ in 0..2 {
        let wanted = lock.clone();
        thread::spawn(move || loop {
            want(&wanted);
            thread::sleep(Duration::from_micros(20));
        });
    }
    println!("ready");
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
