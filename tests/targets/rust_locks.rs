// SPDX-License-Identifier: MIT
// rust_locks MODE: a deadlock of two over std::sync::Mutex ("deadlock"), or a reader that waits for
// a writer of a std::sync::RwLock ("rwlock"). The locks say nothing about who has them. Prints
// what locks.c prints.
use std::fs;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

extern "C" {
    fn gettid() -> i32;
}

fn asleep(tid: i32) -> bool {
    let text = fs::read_to_string(format!("/proc/self/task/{tid}/syscall")).unwrap_or_default();
    let number = if cfg!(target_arch = "x86_64") { "202 " } else { "98 " };
    text.starts_with(number)
}

fn await_futex(tids: &[&AtomicI32]) {
    for tid in tids {
        while tid.load(Ordering::SeqCst) == 0 || !asleep(tid.load(Ordering::SeqCst)) {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn print(waits: &[(i32, &str, i32)]) {
    let rows: Vec<String> = waits.iter().map(|(tid, kind, holder)| format!(
        "{{\"tid\": {tid}, \"name\": \"rust_locks\", \"kind\": \"lock\", \"object_kind\": \
         \"{kind}\", \"object\": \"\", \"holder\": {holder}, \"probable\": true}}")).collect();
    println!("{{\"waits\": [{}], \"deadlock\": []}}\nready", rows.join(", "));
}

fn deadlock() {
    let locks = Arc::new((Mutex::new(1), Mutex::new(2)));
    let tids = Arc::new([AtomicI32::new(0), AtomicI32::new(0)]);
    for turn in 0..2 {
        let (locks, tids) = (locks.clone(), tids.clone());
        thread::spawn(move || {
            let (first, second) =
                if turn == 0 { (&locks.0, &locks.1) } else { (&locks.1, &locks.0) };
            let one = first.lock().unwrap();
            tids[turn].store(unsafe { gettid() }, Ordering::SeqCst);
            while tids[1 - turn].load(Ordering::SeqCst) == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            let two = second.lock().unwrap();
            println!("{} {}", *one, *two);
        });
    }
    await_futex(&[&tids[0], &tids[1]]);
    let (a, b) = (tids[0].load(Ordering::SeqCst), tids[1].load(Ordering::SeqCst));
    print(&[(a, "mutex", b), (b, "mutex", a)]);
}

fn rwlock() {
    let lock = Arc::new(RwLock::new(1));
    let tids = Arc::new([AtomicI32::new(0), AtomicI32::new(0)]);
    let (held, own) = (lock.clone(), tids.clone());
    thread::spawn(move || {
        let guard = held.write().unwrap();
        own[0].store(unsafe { gettid() }, Ordering::SeqCst);
        loop {
            thread::sleep(Duration::from_secs(3600 + *guard));
        }
    });
    while tids[0].load(Ordering::SeqCst) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let (wanted, own) = (lock.clone(), tids.clone());
    thread::spawn(move || {
        own[1].store(unsafe { gettid() }, Ordering::SeqCst);
        println!("{}", *wanted.read().unwrap());
    });
    await_futex(&[&tids[1]]);
    print(&[(tids[1].load(Ordering::SeqCst), "rwlock (to read)",
             tids[0].load(Ordering::SeqCst))]);
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("deadlock") => deadlock(),
        Some("rwlock") => rwlock(),
        _ => return eprintln!("usage: rust_locks deadlock|rwlock"),
    }
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
