/**
 * One end of a channel to another thread. Messages are copied, arrive once and in order; what is posted waits in memory
 * until the other side takes it, so whoever posts unasked must keep count.
 */
export interface ThreadPort<Sent, Received> {
  /** Plain data only: no functions, no instances of classes. Never waits. */
  post(message: Sent): void
  /** To be called once; what has arrived by then is delivered first. */
  listen(listener: (message: Received) => void): void
}
