// SPDX-License-Identifier: MIT
// Has values behind trait objects on the heap and prints how many of each type, as JSON. Their
// functions differ, so that none of them stands for that of another type.
use std::fmt::Debug;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

trait Animal {
    fn legs(&self) -> usize;
    fn name(&self) -> String;
}

struct Dog {
    names: Vec<String>,
    age: usize,
}

struct Bird {
    song: String,
    height: [usize; 9],
}

#[derive(Debug)]
struct Plain {
    #[allow(dead_code)]
    number: usize,
}

struct Cage<T> {
    kept: Vec<T>,
}

impl Animal for Dog {
    fn legs(&self) -> usize {
        self.age * 3 + self.names.len()
    }
    fn name(&self) -> String {
        self.names.concat()
    }
}

impl Animal for Bird {
    fn legs(&self) -> usize {
        self.height.iter().sum::<usize>() ^ self.song.len()
    }
    fn name(&self) -> String {
        self.song.to_uppercase()
    }
}

impl<T: Debug> Animal for Cage<T> {
    fn legs(&self) -> usize {
        self.kept.len() * 4
    }
    fn name(&self) -> String {
        format!("{:?}", self.kept)
    }
}

fn dog(i: usize) -> Dog {
    Dog { names: Vec::new(), age: i }
}

// The older names of a closure's methods do not say what they belong to.
fn caller(dog: Dog) -> Box<dyn Fn() -> usize> {
    Box::new(move || dog.legs())
}

fn main() {
    let mut animals: Vec<Box<dyn Animal>> = Vec::with_capacity(4100);
    for i in 0..3000 {
        animals.push(Box::new(dog(i)));
    }
    for i in 0..700 {
        animals.push(Box::new(Bird { song: String::new(), height: [i; 9] }));
    }
    for i in 0..400 {
        animals.push(Box::new(Cage { kept: vec![Plain { number: i }] }));
    }
    let shared: Vec<Arc<dyn Animal>> = (0..200).map(|i| Arc::new(dog(i)) as Arc<dyn Animal>).collect();
    let plain: Vec<Box<Plain>> = (0..100).map(|i| Box::new(Plain { number: i })).collect();
    let calls: Vec<Box<dyn Fn() -> usize>> = (0..50).map(|i| caller(dog(i))).collect();
    let legs: usize = animals.iter().map(|animal| animal.legs() + animal.name().len()).sum();
    black_box((&animals, &shared, &plain, &calls, legs));
    let truth = b"{\"rust_boxes::Dog\": 3200, \"rust_boxes::Bird\": 700, \
                  \"rust_boxes::Cage<rust_boxes::Plain>\": 400}\nready\n";
    std::io::stdout().write_all(truth).unwrap();
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
