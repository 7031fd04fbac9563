// What the engine knows of the machine it runs on: processor, memory, disk, GPU as the llama worker found it, and whether the trainer is there.
// Measures when asked and starts nothing: the GPU is unknown ('none') until a first model was opened.

import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import type { HardwareReport } from '../contract/workspace.ts'
import type { LlamaHost } from '../compute/llama-protocol.ts'
import { builtTrainer } from '../compute/trainer-build.ts'

export interface Machine {
  report(): Promise<HardwareReport>
}

export function createMachine(options: { appRoot: string; dataDir: string; gpu: () => string }): Machine {
  return {
    async report() {
      const disk = await statfs(options.dataDir)
      const cores = cpus()
      return {
        cpuModel: cores[0]?.model.trim() ?? 'unknown',
        coreCount: cores.length,
        memoryTotalBytes: totalmem(),
        memoryFreeBytes: freemem(),
        diskFreeBytes: disk.bavail * disk.bsize,
        gpu: options.gpu(),
        gpuNames: [],
        isa: instructionSet(),
        trainer: trainerState(options.appRoot),
      }
    },
  }
}

/** The same worker, and what GPU it last said it runs on. */
export function watchGpu(llama: LlamaHost): { llama: LlamaHost; gpu: () => string } {
  let seen = 'none'
  return {
    gpu: () => seen,
    llama: {
      async openSession(request) {
        const session = await llama.openSession(request)
        if (request.gpu === 'auto') seen = session.reply.gpu
        return session
      },
      openEmbedder: (request) => llama.openEmbedder(request),
      get pid() {
        return llama.pid
      },
      close: () => llama.close(),
    },
  }
}

function trainerState(appRoot: string): HardwareReport['trainer'] {
  if (builtTrainer(appRoot)) return { isReady: true, message: 'The trainer is ready.', remedy: '' }
  return {
    isReady: false,
    message: 'The trainer is not built yet.',
    remedy: 'Start a tuning run: it is built then, which takes seconds and needs cmake and a C++ compiler.',
  }
}

/** What matters to ggml and the trainer, e.g. `x64 avx2 avx512f`. */
function instructionSet(): string {
  const wanted = ['avx', 'avx2', 'fma', 'f16c', 'avx512f', 'avx512_bf16', 'amx_bf16', 'asimd', 'sve']
  if (process.platform !== 'linux') return process.arch
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(/\s+/) ?? []
  return [process.arch, ...wanted.filter((name) => flags.includes(name))].join(' ')
}
