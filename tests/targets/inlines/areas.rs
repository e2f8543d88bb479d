// SPDX-License-Identifier: MIT
// Inlined generics, closures and trait objects, for comparing names and lines.
use std::collections::HashMap;
use std::fmt::Display;

trait Area {
    fn area(&self) -> f64;
}

struct Circle(f64);
struct Square(f64);

impl Area for Circle {
    #[inline(never)]
    fn area(&self) -> f64 {
        3.14 * self.0 * self.0
    }
}

impl Area for Square {
    #[inline(never)]
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

#[inline(never)]
fn total(shapes: &[Box<dyn Area>]) -> f64 {
    shapes.iter().map(|shape| shape.area()).filter(|area| *area > 1.0).fold(0.0, |a, b| a + b)
}

#[inline(never)]
fn count<T: Display>(words: &[T]) -> usize {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for word in words {
        *seen.entry(format!("{word}")).or_default() += 1;
    }
    let mut often: Vec<_> = seen.into_iter().filter(|(_, times)| times % 2 == 0).collect();
    often.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    often.len()
}

fn main() {
    let shapes: Vec<Box<dyn Area>> = (0..100)
        .map(|i| -> Box<dyn Area> {
            if i % 2 == 0 {
                Box::new(Circle(i as f64))
            } else {
                Box::new(Square(i as f64))
            }
        })
        .collect();
    let words: Vec<i32> = (0..500).map(|i| i * 7 % 91).collect();
    println!("{} {}", total(&shapes), count(&words));
}
