// Finds the GPU a tuning may run on: each of node-llama-cpp's sets of libraries is asked for its devices in a process of its own, since a
// process can hold only one of them. Knows nothing of models; whether the device computes rightly is the trainer's own test.

import { openTrainer, type OpenTrainerOptions } from './trainer.ts'
import { findDeviceLibraryDir, findLibraryDir } from './trainer-build.ts'

export interface TrainingGpu {
  libraryDir: string
  device: { name: string }
}

/** The first GPU of CUDA, Vulkan or Metal, or undefined. A set of libraries that does not open here is passed over, and logged. */
export async function findTrainingGpu(options: {
  root: string
  executable: string
  onLog?: (line: string) => void
}): Promise<TrainingGpu | undefined> {
  const { root, executable, onLog } = options
  const folders =
    process.platform === 'darwin'
      ? [findLibraryDir(root)]
      : (['cuda', 'vulkan'] as const).map((variant) => findDeviceLibraryDir(root, variant))
  for (const libraryDir of folders) {
    if (libraryDir === undefined) continue
    const name = await firstGpu({ executable, libraryDir, threads: 1, device: {}, onLog }).catch((error: unknown) => {
      onLog?.(`no devices from ${libraryDir}: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    })
    if (name !== undefined) return { libraryDir, device: { name } }
  }
  return undefined
}

async function firstGpu(options: OpenTrainerOptions): Promise<string | undefined> {
  const trainer = await openTrainer(options)
  try {
    const devices = await trainer.devices()
    return devices.find(({ kind }) => kind === 'gpu' || kind === 'igpu')?.name
  } finally {
    await trainer.close()
  }
}
