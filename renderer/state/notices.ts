// Short messages at the edge of the window: what failed and what to do, or what was done.

import { notifications } from '@mantine/notifications'
import type { AppError } from '../../main/contract/errors.ts'
import { i18n } from '../i18n.ts'

/** Shows a failure with its remedy; stays long enough to be read. */
export function showFailure(error: AppError): void {
  if (error.code === 'cancelled') return
  notifications.show({
    id: `${error.code} ${error.message}`,
    title: error.message,
    message: error.remedy,
    color: 'red.9',
    autoClose: 12_000,
    closeButtonProps: { 'aria-label': i18n.t('close') },
  })
}

/** Says that something was done. */
export function showDone(message: string): void {
  notifications.show({ message, autoClose: 4000, closeButtonProps: { 'aria-label': i18n.t('close') } })
}
