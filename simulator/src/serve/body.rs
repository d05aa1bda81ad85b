//! A reply's body on its way out: whole, slowly, or broken off.

use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::clock;
use crate::fleet::{Fleet, time_for};

/// A body that may drip and may break off.
pub(super) struct ReplyBody {
    left: Bytes,
    breaks: Option<Break>,
    drip: Option<Drip>,
}

/// A body that ends too early.
struct Break {
    /// The length it was announced with.
    announced: u64,
    /// Ends when what was sent is on its way. A body that fails at once takes what is buffered with it, and nothing of the
    /// reply would arrive.
    sent: Pin<Box<dyn Future<Output = ()> + Send>>,
}

struct Drip {
    fleet: Arc<Fleet>,
    device: Arc<str>,
    pace: NonZeroU32,
    next: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Drip {
    /// A tenth of a simulated second's worth.
    fn piece(&self) -> usize {
        usize::try_from(self.pace.get().div_ceil(10)).unwrap_or(usize::MAX)
    }

    /// Ends when the next piece has arrived, which a cut line keeps it from.
    fn wait(&mut self) {
        let (fleet, device) = (self.fleet.clone(), self.device.clone());
        let time = time_for(self.piece(), self.pace);
        self.next = Box::pin(async move {
            fleet.clock().sleep(time).await;
            fleet.until_heard(&device).await;
        });
    }
}

impl ReplyBody {
    pub(super) fn whole(body: Bytes) -> Self {
        Self {
            left: body,
            breaks: None,
            drip: None,
        }
    }

    /// The beginning of a body of `announced` bytes.
    pub(super) fn broken(part: Bytes, announced: u64) -> Self {
        Self {
            left: part,
            breaks: Some(Break {
                announced,
                sent: Box::pin(clock::breathe()),
            }),
            drip: None,
        }
    }

    /// So many bytes a simulated second.
    pub(super) fn slowly(mut self, fleet: Arc<Fleet>, device: Arc<str>, pace: NonZeroU32) -> Self {
        let mut drip = Drip {
            fleet,
            device,
            pace,
            next: Box::pin(std::future::ready(())),
        };
        drip.wait();
        self.drip = Some(drip);
        self
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left.is_empty() {
            let Some(end) = &mut self.breaks else {
                return Poll::Ready(None);
            };
            ready!(end.sent.as_mut().poll(context));
            return Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())));
        }
        let mut piece = self.left.len();
        if let Some(drip) = &mut self.drip {
            ready!(drip.next.as_mut().poll(context));
            drip.wait();
            piece = piece.min(drip.piece());
        }
        let data = self.left.split_to(piece);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.breaks.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = u64::try_from(self.left.len()).unwrap_or(u64::MAX);
        let announced = self.breaks.as_ref().map(|end| end.announced);
        SizeHint::with_exact(announced.unwrap_or(left))
    }
}
