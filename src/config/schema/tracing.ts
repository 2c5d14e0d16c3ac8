import { z } from 'zod';
import { fieldValue, headerName, httpUrl } from '../http-option-types.ts';
import { duration, flag, printableText, shareOrZero } from '../option-types.ts';

export const tracing = z
  .strictObject({
    enabled: flag().describe('Whether spans are made and exported. traceparent passes in any case.').prefault(false),
    endpoint: httpUrl()
      .describe('Where spans go: the OTLP/HTTP endpoint of a collector.')
      .prefault('http://127.0.0.1:4318/v1/traces'),
    headers: z
      .record(headerName(), fieldValue(), { error: 'a mapping of header names to values' })
      .describe('Headers to send to the collector, such as its token.')
      .prefault({}),
    service_name: printableText().describe('The service that spans are said to be from.').prefault('photon'),
    sample_rate: shareOrZero()
      .describe('Share of the requests without a traceparent that are traced; with one, the caller has decided.')
      .prefault(0.01),
    timeout: duration().describe('How long one export may take.').prefault('10s'),
  })
  .describe('Traces for OpenTelemetry.');
