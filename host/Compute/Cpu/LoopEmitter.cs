using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;
using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// A compiled element-wise loop. Inputs then outputs are in <paramref name="streams"/>, cuts' index limits count from
/// the first element; <paramref name="count"/> is a multiple of the width.
/// </summary>
internal unsafe delegate void LoopCode(nint* streams, float* constants, int* limits, nint count);

/// <summary>Writes the code of an element-wise loop for one width of registers.</summary>
internal sealed class LoopEmitter
{
    // More constants than registers are read where they are used.
    private const int MostHeldConstants = 12;

    private readonly LoopShape _shape;
    private readonly Type _lanes;
    private readonly Type _number;
    private readonly Type _integer;
    private readonly DynamicMethod _method;
    private readonly ILGenerator _il;

    private LoopEmitter(LoopShape shape, int width)
    {
        _shape = shape;
        (_lanes, _number, _integer) = width switch
        {
            16 => (typeof(Lanes512), typeof(Vector512<float>), typeof(Vector512<int>)),
            8 => (typeof(Lanes256), typeof(Vector256<float>), typeof(Vector256<int>)),
            4 => (typeof(Lanes128), typeof(Vector128<float>), typeof(Vector128<int>)),
            _ => (typeof(Lanes1), typeof(float), typeof(int)),
        };
        _method = new DynamicMethod(
            "Loop", typeof(void), [typeof(nint), typeof(nint), typeof(nint), typeof(nint)],
            typeof(LoopEmitter).Module, skipVisibility: true);
        _il = _method.GetILGenerator();
    }

    /// <summary>Lanes of the widest registers this machine computes with.</summary>
    public static int WidestLanes => Vector512.IsHardwareAccelerated ? 16
        : Vector256.IsHardwareAccelerated ? 8
        : Vector128.IsHardwareAccelerated ? 4
        : 1;

    public static unsafe LoopCode Emit(LoopShape shape, int width)
    {
        var emitter = new LoopEmitter(shape, width);
        emitter.EmitLoop(width);
        var pointer = emitter._method.CreateDelegate<PointerLoop>();
        return (streams, constants, limits, count) => pointer((nint)streams, (nint)constants, (nint)limits, count);
    }

    private delegate void PointerLoop(nint streams, nint constants, nint limits, nint count);

    private void EmitLoop(int width)
    {
        LocalBuilder[] streams = [.. Enumerable.Range(0, _shape.Inputs.Count + _shape.Outputs.Count)
            .Select(k => Hold(typeof(nint), () => EmitElement(OpCodes.Ldarg_0, k, sizeof(long), OpCodes.Ldind_I)))];
        var constantCount = _shape.Steps.Count(s => s.Op == Op.Constant);
        LocalBuilder[] constants = constantCount > MostHeldConstants ? []
            : [.. Enumerable.Range(0, constantCount).Select(k => Hold(_number, () => EmitConstant(k)))];
        LocalBuilder[] limits = [.. Enumerable.Range(0, _shape.CutCount)
            .Select(k => Hold(_integer, () =>
            {
                EmitElement(OpCodes.Ldarg_2, k, sizeof(int), OpCodes.Ldind_I4);
                Call(_lanes, "Broadcast", typeof(int));
            }))];
        var index = limits.Length == 0 ? null : Hold(_integer, () => Call(_lanes, "Iota"));
        LocalBuilder[] registers =
            [.. Enumerable.Range(0, _shape.RegisterCount).Select(_ => _il.DeclareLocal(_number))];

        var i = Hold(typeof(nint), () => EmitNumber(0));
        var (body, test) = (_il.DefineLabel(), _il.DefineLabel());
        _il.Emit(OpCodes.Br, test);
        _il.MarkLabel(body);
        for (var s = 0; s < _shape.Steps.Count; s++)
        {
            EmitStep(_shape.Steps[s], streams, constants, limits, index, registers, i);
            _il.Emit(OpCodes.Stloc, registers[_shape.Registers[s]]);
        }
        for (var k = 0; k < _shape.Outputs.Count; k++)
        {
            var (step, type) = _shape.Outputs[k];
            _il.Emit(OpCodes.Ldloc, registers[_shape.Registers[step]]);
            EmitAddress(streams[_shape.Inputs.Count + k], i, type);
            Call(Generic(typeof(Conversions<,,>)), $"Encode{type}");
        }
        if (index is not null)
        {
            _il.Emit(OpCodes.Ldloc, index);
            _il.Emit(OpCodes.Ldc_I4, width);
            Call(_lanes, "Broadcast", typeof(int));
            Call(_lanes, "Add", _integer, _integer);
            _il.Emit(OpCodes.Stloc, index);
        }
        _il.Emit(OpCodes.Ldloc, i);
        EmitNumber(width);
        _il.Emit(OpCodes.Add);
        _il.Emit(OpCodes.Stloc, i);
        _il.MarkLabel(test);
        _il.Emit(OpCodes.Ldloc, i);
        _il.Emit(OpCodes.Ldarg_3);
        _il.Emit(OpCodes.Blt, body);
        _il.Emit(OpCodes.Ret);
    }

    private void EmitStep(
        LoopStep step, LocalBuilder[] streams, LocalBuilder[] constants, LocalBuilder[] limits, LocalBuilder? index,
        LocalBuilder[] registers, LocalBuilder i)
    {
        for (var k = 0; k < step.StepArguments; k++)
            _il.Emit(OpCodes.Ldloc, registers[_shape.Registers[step.StepArgument(k)]]);
        switch (step.Op)
        {
            case Op.Input:
                EmitAddress(streams[step.A], i, _shape.Inputs[step.A]);
                Call(Generic(typeof(Conversions<,,>)), $"Decode{_shape.Inputs[step.A]}");
                break;
            case Op.Constant when constants.Length > 0:
                _il.Emit(OpCodes.Ldloc, constants[step.A]);
                break;
            case Op.Constant:
                EmitConstant(step.A);
                break;
            case Op.KeptBy:
                if (step.C == 0)
                {
                    EmitElement(OpCodes.Ldarg_1, ConstantOfCut(step.B), sizeof(float), OpCodes.Ldind_R4);
                    Call(_lanes, "Broadcast", typeof(float));
                }
                _il.Emit(OpCodes.Ldloc, index!);
                _il.Emit(OpCodes.Ldloc, limits[step.B]);
                Call(_lanes, "Less", _integer, _integer);
                Call(_lanes, "AsNumber", _integer);
                Call(Generic(typeof(Arithmetic<,,>)), step.C == 0 ? "KeptByNumber" : "KeptByNaN");
                break;
            case Op.Negate or Op.Sign or Op.Exp or Op.Log or Op.Pow:
                var parameters = Enumerable.Repeat(_number, step.StepArguments).ToArray();
                Call(Generic(typeof(Arithmetic<,,>)), step.Op.ToString(), parameters);
                break;
            default:
                Call(_lanes, step.Op.ToString(), [.. Enumerable.Repeat(_number, step.StepArguments)]);
                break;
        }
    }

    // The cuts' values follow the constants.
    private int ConstantOfCut(int cut) => _shape.Steps.Count(s => s.Op == Op.Constant) + cut;

    private Type Generic(Type definition) => definition.MakeGenericType(_lanes, _number, _integer);

    private LocalBuilder Hold(Type type, Action emit)
    {
        var local = _il.DeclareLocal(type);
        emit();
        _il.Emit(OpCodes.Stloc, local);
        return local;
    }

    private void EmitConstant(int index)
    {
        EmitElement(OpCodes.Ldarg_1, index, sizeof(float), OpCodes.Ldind_R4);
        Call(_lanes, "Broadcast", typeof(float));
    }

    private void EmitElement(OpCode array, int index, int size, OpCode load)
    {
        _il.Emit(array);
        EmitNumber(index * size);
        _il.Emit(OpCodes.Add);
        _il.Emit(load);
    }

    private void EmitAddress(LocalBuilder stream, LocalBuilder i, DType type)
    {
        _il.Emit(OpCodes.Ldloc, stream);
        _il.Emit(OpCodes.Ldloc, i);
        EmitNumber(type.Bits() / 8);
        _il.Emit(OpCodes.Mul);
        _il.Emit(OpCodes.Add);
    }

    private void EmitNumber(int value)
    {
        _il.Emit(OpCodes.Ldc_I4, value);
        _il.Emit(OpCodes.Conv_I);
    }

    private void Call(Type type, string name, params Type[] parameters)
    {
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public;
        var method = parameters.Length == 0 && name != "Iota"
            ? type.GetMethod(name, Any)
            : type.GetMethod(name, Any, parameters);
        _il.Emit(OpCodes.Call, method ?? throw new MissingMethodException(type.Name, name));
    }
}
