// The channel of a worker process to its parent: Electron's utilityProcess gives a parentPort, a forked Node has process.send.

interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): void
}

/** Listens to the parent and answers how to post to it. Without a parent the process ends at once: nobody is left to answer. */
export function openParentPort<In, Out>(onMessage: (message: In) => void): (message: Out) => void {
  const { parentPort } = process as unknown as { parentPort?: ParentPort }
  if (parentPort) {
    parentPort.on('message', (event) => onMessage(event.data as In))
    return (message) => parentPort.postMessage(message)
  }
  process.on('message', (message) => onMessage(message as In)).once('disconnect', leave)
  return (message) =>
    void process.send?.(message, undefined, undefined, (error) => {
      if (error) leave()
    })
}

/** A thread inside a native library must not keep the process alive. */
function leave(): void {
  process.kill(process.pid, 'SIGKILL')
}
