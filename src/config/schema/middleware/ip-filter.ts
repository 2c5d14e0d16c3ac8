import { z } from 'zod';
import { ipRange } from '../../option-types.ts';

const ranges = () => z.array(ipRange(), { error: 'a list of IP addresses and ranges' });

export const ipFilter = z
  .strictObject({
    allow: ranges().describe('Who may pass: IP addresses and CIDR ranges; by default everybody.').optional(),
    deny: ranges().describe('Who may not, even where allow lets them.').prefault([]),
  })
  .describe("Lets clients pass or not by their address; the others get 403. The client's address is the settled one.");
