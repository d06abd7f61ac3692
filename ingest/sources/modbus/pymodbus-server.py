# An ADAM-6050 served by pymodbus, for tests: prints its port, then takes lines "<fc> <address> <value>" to set values.
import asyncio
import socket
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer


def block(size):
    # Addresses on the wire count from 0, blocks from 1.
    return ModbusSequentialDataBlock(1, [0] * size)


unit = ModbusSlaveContext(di=block(22), co=block(22), hr=block(24), ir=block(24))


def listen():
    for line in sys.stdin:
        fc, address, value = (int(word) for word in line.split())
        unit.setValues(fc, address, [value])
        print("set", flush=True)


async def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    print(port, flush=True)
    threading.Thread(target=listen, daemon=True).start()
    context = ModbusServerContext(slaves={1: unit}, single=False)
    await StartAsyncTcpServer(context=context, address=("127.0.0.1", port))


asyncio.run(main())
