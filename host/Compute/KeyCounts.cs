using System.Numerics;
using System.Runtime.CompilerServices;

namespace Merge.Compute;

/// <summary>
/// How often each key was seen, for some thousands of different keys; for one thread at a time. It begins small: most
/// often there are few.
/// </summary>
internal sealed unsafe class KeyCounts
{
    /// <summary>Bytes it holds at most.</summary>
    public const long Bytes = 3L * ((sizeof(ulong) << MostBits) + (sizeof(int) << (MostBits - 1))) / 2;

    private const int LeastBits = 8;
    private const int MostBits = 15;

    // A key in the upper half, its count in the lower. No score has the key 0, so 0 is a place without key.
    private ulong[] _places = new ulong[1 << LeastBits];
    private int[] _taken = new int[1 << (LeastBits - 1)];
    private int _bits = LeastBits;
    private int _different;

    /// <summary>Keys that were seen.</summary>
    public int Different => _different;

    /// <summary>Whether so many keys can be added even if all are new.</summary>
    public bool HasRoomFor(int keys)
    {
        var needed = _different + keys;
        if (needed > 1 << (MostBits - 1))
            return false;
        if (needed > _taken.Length)
            Grow(BitOperations.Log2((uint)needed - 1) + 2);
        return true;
    }

    /// <summary>Adds keys for which there is room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(uint* keys, int count)
    {
        fixed (ulong* places = _places)
        {
            var (shift, last) = (32 - _bits, (uint)_places.Length - 1);
            for (var i = 0; i < count; i++)
            {
                var key = keys[i];
                var place = (key * 0x9E3779B1) >> shift;
                while (places[place] >> 32 is var other && other != key)
                {
                    if (other == 0)
                    {
                        places[place] = (ulong)key << 32;
                        _taken[_different++] = (int)place;
                        break;
                    }
                    place = (place + 1) & last;
                }
                places[place]++;
            }
        }
    }

    /// <summary>Gives all keys, in no order, each in the upper half and its count in the lower; forgets them.</summary>
    /// <param name="to">Takes <see cref="Different"/> of them.</param>
    public void MoveTo(ulong* to)
    {
        for (var i = 0; i < _different; i++)
            to[i] = _places[_taken[i]];
        Clear();
    }

    /// <summary>Forgets all keys.</summary>
    public void Clear()
    {
        for (var i = 0; i < _different; i++)
            _places[_taken[i]] = 0;
        _different = 0;
    }

    private void Grow(int bits)
    {
        var keys = new ulong[_different];
        fixed (ulong* to = keys)
            MoveTo(to);
        _bits = bits;
        _places = new ulong[1 << bits];
        _taken = new int[1 << (bits - 1)];
        foreach (var key in keys)
        {
            var place = ((uint)(key >> 32) * 0x9E3779B1) >> (32 - bits);
            while (_places[place] != 0)
                place = (place + 1) & ((uint)_places.Length - 1);
            _places[place] = key;
            _taken[_different++] = (int)place;
        }
    }
}
