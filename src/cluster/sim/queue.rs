//! What is to be looked at, now or at a time; each object once per controller.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::controller::Controller;
use crate::cluster::object::Key;

/// An object that a controller has to look at.
pub type Task = (Controller, Key);

/// The first wait after a failure, doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(5);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Tasks, soonest first.
#[derive(Debug, Default)]
pub struct Queue {
    ready: VecDeque<Task>,
    waiting: BTreeMap<Timestamp, BTreeSet<Task>>,
    /// When each waiting task is due, and whether a ready one is queued already.
    due: HashMap<Task, Timestamp>,
    queued: std::collections::HashSet<Task>,
    failures: HashMap<Task, u32>,
}

impl Queue {
    /// To be looked at as soon as possible.
    pub fn push(&mut self, task: Task) {
        if self.queued.insert(task.clone()) {
            self.ready.push_back(task);
        }
    }

    /// To be looked at at a time, unless it is to be sooner.
    pub fn push_at(&mut self, task: Task, time: Timestamp) {
        match self.due.get(&task) {
            Some(due) if *due <= time => return,
            Some(due) => {
                let due = *due;
                self.forget(&task, due);
            }
            None => {}
        }
        self.due.insert(task.clone(), time);
        self.waiting.entry(time).or_default().insert(task);
    }

    fn forget(&mut self, task: &Task, due: Timestamp) {
        if let Some(tasks) = self.waiting.get_mut(&due) {
            tasks.remove(task);
            if tasks.is_empty() {
                self.waiting.remove(&due);
            }
        }
        self.due.remove(task);
    }

    /// To be tried again after a failure, later each time.
    pub fn push_failed(&mut self, task: Task, now: Timestamp) {
        let failures = self.failures.entry(task.clone()).or_default();
        let wait = FIRST_WAIT.saturating_mul(1 << (*failures).min(16)).min(LONGEST_WAIT);
        *failures += 1;
        self.push_at(task, now.checked_add(wait).unwrap_or(Timestamp::MAX));
    }

    /// It went well: the next failure is a first one again.
    pub fn succeeded(&mut self, task: &Task) {
        self.failures.remove(task);
    }

    /// The next task that is due. Looking at it also settles what it waits for.
    pub fn pop(&mut self, now: Timestamp) -> Option<Task> {
        while let Some((time, _)) = self.waiting.first_key_value().filter(|(time, _)| **time <= now) {
            let time = *time;
            for task in self.waiting.remove(&time).into_iter().flatten() {
                self.due.remove(&task);
                self.push(task);
            }
        }
        let task = self.ready.pop_front()?;
        self.queued.remove(&task);
        if let Some(due) = self.due.get(&task).copied() {
            self.forget(&task, due);
        }
        Some(task)
    }

    /// When the next waiting task is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first_key_value().map(|(time, _)| *time)
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.ready.len() + self.due.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn each_task_once_and_the_soonest_time_counts() {
        let mut queue = Queue::default();
        let task = |name: &str| (Controller::Deployment, Key::new("n", name));
        queue.push(task("a"));
        queue.push(task("a"));
        queue.push_at(task("b"), at(20));
        queue.push_at(task("b"), at(10));
        queue.push_at(task("b"), at(30));
        assert_eq!(queue.pop(at(0)), Some(task("a")));
        assert_eq!(queue.pop(at(0)), None);
        assert_eq!(queue.next_due(), Some(at(10)));
        assert_eq!(queue.pop(at(10)), Some(task("b")));
        assert!(queue.is_empty());
    }

    #[test]
    fn failures_wait_longer_each_time() {
        let mut queue = Queue::default();
        let task = (Controller::Job, Key::new("n", "a"));
        let wait = |queue: &mut Queue| {
            queue.push_failed(task.clone(), at(0));
            let due = queue.next_due().unwrap();
            queue.pop(due);
            due.duration_since(at(0)).as_millis()
        };
        assert_eq!([wait(&mut queue), wait(&mut queue), wait(&mut queue)], [5, 10, 20]);
        queue.succeeded(&task);
        assert_eq!(wait(&mut queue), 5);
    }
}
